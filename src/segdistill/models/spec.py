"""Read a model spec: a name, or one name with its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from segdistill.core import SegDistillError, unknown
from segdistill.models.catalogue import OWN, SMP, TORCHVISION

#: Full names of libraries, so that their own dotted paths get the same checks as the short ones.
PREFIXES = {
    "segmentation_models_pytorch.": "smp.",
    "torchvision.models.segmentation.": "torchvision.",
}


class Spec(NamedTuple):
    """A model spec in its one form."""

    source: str
    name: str
    options: dict[str, Any]

    @property
    def full_name(self) -> str:
        """The name as a user writes it, such as `smp.FPN`."""
        return self.name if self.source in ("", "own") else f"{self.source}.{self.name}"

    def as_value(self) -> str | dict[str, Any]:
        """Give the shortest spec that means the same, for recipes and run folders."""
        return {self.full_name: dict(self.options)} if self.options else self.full_name


def parse(spec: str | Mapping[str, Any]) -> Spec:
    """Bring a spec to its one form.

    Args:
        spec: `"smp.Unet"`, or `{"smp.Unet": {option: value}}`.

    Raises:
        SegDistillError: If the spec has another form, or names nothing that can be built.

    Examples:
        >>> parse({"smp.FPN": {"encoder_name": "resnet18"}}).name
        'FPN'
    """
    name, options = _split(spec)
    for long, short in PREFIXES.items():
        name = name.replace(long, short, 1) if name.startswith(long) else name
    if name in OWN:
        return Spec("own", name, options)
    source, dot, rest = name.partition(".")
    if source in ("smp", "timm", "torchvision") and rest:
        return Spec(source, rest, options)
    if name.startswith(".") or "/" in name or "\\" in name:
        raise SegDistillError(
            f"There is no finished run and no checkpoint at {name!r}: name the folder of a run, or a file such as "
            f"NAME.pth."
        )
    if not (dot and rest):
        raise unknown("model", name, _names())
    return Spec("", name, options)


def _split(spec: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(spec, str):
        return spec, {}
    if isinstance(spec, Mapping) and len(spec) == 1:
        name, options = next(iter(spec.items()))
        if isinstance(name, str) and (options is None or isinstance(options, Mapping)):
            return name, dict(options or {})
    raise SegDistillError(
        f"A model is a name or one {{name: {{option: value}}}}, got {spec!r}. "
        f"Write for example {{smp.FPN: {{encoder_name: resnet18}}}}."
    )


def _names() -> list[str]:
    return [*OWN, *(f"smp.{name}" for name in SMP), *(f"torchvision.{name}" for name in TORCHVISION)]
