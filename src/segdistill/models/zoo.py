"""Load any segmentation network by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.models import checkpoints, saved
from segdistill.models.built import Built
from segdistill.models.dotted import build_dotted
from segdistill.models.polyp_pvt import build as build_polyp_pvt
from segdistill.models.smp_nets import build_smp
from segdistill.models.spec import Spec, parse
from segdistill.models.torchvision_nets import build_torchvision
from segdistill.models.weights import fit_weights, names_file, read_weights
from segdistill.taps import Tapped


def load(
    spec: str | Path | Mapping[str, Any],
    *,
    classes: int,
    weights: str | Path = "imagenet",
    size: int | Sequence[int] | None = None,
    in_channels: int = 3,
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
) -> Tapped:
    """Build a network with its preprocessing and its aliases.

    Args:
        spec: What to build, a name or `{name: {option: value}}`:

            - `PolypPVT`: KDAS's teacher and student, on any PVTv2; reads the authors' checkpoints.
            - `smp.<Architecture>`: the networks of segmentation_models_pytorch on any of its encoders or, as
              `tu-<name>`, of timm's. Options are those that the constructor names; `tu-` encoders also take
              `drop_rate`, `drop_path_rate`, `img_size` and `dynamic_img_size`. Nothing else passes.
            - `timm.<name>`: a timm network as the encoder of `smp.Unet`; takes the options of `smp.Unet`.
            - `torchvision.<name>`: the segmentation networks of torchvision.
            - `package.module.Class`: any class that can be imported, see `models.dotted`.
            - The folder of a finished run: its network with the weights of the best epoch.
            - A checkpoint of a polyp project (a file): the network that its tensors tell, fed as that project does.
        classes: Channels of the logits, `task.channels`.
        weights: `"imagenet"` (the encoder's default pretrained weights), `"none"`, another set that smp names
            for the encoder, or a file: a state dict of the whole network or of its encoder alone.
            EfficientNet-Lite0, 1 and 2 come from installed packages, without a network.
        size: Height and width that the network works at, one number for a square; `None` keeps the image's.
        in_channels: Channels of the image.
        mean: What is taken off images in [0, 1], one number or one per channel; `None` takes what the encoder's
            ImageNet weights expect. 0, with `std` 1, leaves images as they are.
        std: What they are divided by then, likewise.

    Returns:
        The network, on the CPU and in training mode. Its `spec` builds it again with `load(**spec)`.

    Raises:
        SegDistillError: If a name, an option or a file is wrong, or weights would have to be downloaded from
            a host that does not answer (known within two seconds).

    Examples:
        >>> net = load({"smp.FPN": {"encoder_name": "resnet18"}}, classes=1, weights="none")
        >>> net.aliases["high"]
        'encoder.stages_out.e5'
    """
    if (stored := _stored(spec, classes=classes)) is not None:
        given = {"size": size, "mean": mean, "std": std}
        return load(**{**stored, **{name: value for name, value in given.items() if value is not None}})
    parsed = parse(str(spec) if isinstance(spec, Path) else spec)
    _check_counts(parsed.full_name, classes=classes, in_channels=in_channels)
    file = weights if names_file(weights) else None
    name = None if file or weights == "none" else str(weights)
    state = read_weights(file) if file else None  # before the network is built: a wrong path answers at once
    built = _build(parsed, classes=classes, in_channels=in_channels, weights=name)
    if state is not None:
        fit_weights(built.net, state, Path(str(file)).name, rename=built.rename)
    size, mean, std = (
        _as_size(size),
        _as_statistic("mean", mean, in_channels),
        _as_statistic("std", std, in_channels),
    )
    tapped = Tapped(
        built.net, mean=mean or built.mean, std=std or built.std, size=size, aliases=built.aliases
    )
    tapped.spec = {"spec": parsed.as_value(), "classes": classes, "in_channels": in_channels}
    tapped.spec |= {"size": list(size) if size else None, "weights": "none", "mean": mean, "std": std}
    return tapped


def _stored(spec: Any, *, classes: int) -> dict[str, Any] | None:
    """What a run folder or a checkpoint file says to build; `None` for a name."""
    known = next((each for each in (saved, checkpoints) if each.is_one(spec)), None)
    return known.arguments(spec, classes=classes) if known else None


def _build(spec: Spec, *, classes: int, in_channels: int, weights: str | None) -> Built:
    name, options = spec.name, spec.options
    if spec.source == "timm":
        if "encoder_name" in options:
            raise SegDistillError(
                f"{spec.full_name} names the encoder itself; drop encoder_name or take smp.Unet."
            )
        name, options = "Unet", {"encoder_name": f"tu-{name}", **options}
    builders: dict[str, Callable[..., Built]] = {
        "smp": build_smp,
        "timm": build_smp,
        "torchvision": build_torchvision,
        "own": _build_own,
        "": build_dotted,
    }
    return builders[spec.source](name, options, classes=classes, in_channels=in_channels, weights=weights)


def _build_own(name: str, options: Mapping[str, Any], **arguments: Any) -> Built:
    return {"PolypPVT": build_polyp_pvt}[name](options, **arguments)


def _as_statistic(name: str, value: Any, channels: int) -> list[float] | None:
    if value is None:
        return None
    values = [float(each) for each in (value if isinstance(value, (tuple, list)) else [value])]
    if len(values) not in (1, channels):
        raise SegDistillError(f"{name} must be one number or {channels}, one per channel, got {value!r}.")
    return values


def _as_size(size: Any) -> tuple[int, ...] | None:
    if size is None:
        return None
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size, size)
    if not sides or any(not isinstance(side, int) or side < 1 for side in sides):
        raise SegDistillError(f"size must be one or more positive whole numbers, got {size!r}.")
    return sides


def _check_counts(name: str, **counts: Any) -> None:
    for argument, value in counts.items():
        if not isinstance(value, int) or value < 1:
            raise SegDistillError(f"{argument} of {name} must be a positive whole number, got {value!r}.")
