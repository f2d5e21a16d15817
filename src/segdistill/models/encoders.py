"""Names of encoders, and where their pretrained weights come from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from segdistill.core import SegDistillError, unknown
from segdistill.models.hub import cached_hub_file, ensure_reachable, hub_url
from segdistill.models.wheels import find_wheel, load_wheel, pip_command

TIMM_FILES = ("model.safetensors", "pytorch_model.bin", "pytorch_model.pth", "model.pth")


class Source(NamedTuple):
    """How an encoder gets its weights.

    Attributes:
        argument: The value of smp's `encoder_weights`.
        extra: Further arguments for the constructor.
        finish: What remains to be done to the encoder once it is built.
    """

    argument: str | bool | None = None
    extra: dict[str, Any] = {}  # noqa: RUF012  # never changed
    finish: Callable[[Any], None] = lambda encoder: None


def check_encoder(name: Any) -> None:
    """Refuse the name of an encoder that neither smp nor timm has.

    Raises:
        SegDistillError: With the nearest names.
    """
    if not isinstance(name, str):
        raise SegDistillError(f"encoder_name must be a name, got {name!r}.")
    if name.startswith("timm-"):
        raise SegDistillError(
            f"Encoder {name!r} is deprecated in smp; write 'tu-' and the name that timm gives it, "
            f"such as 'tu-tf_efficientnet_lite0'."
        )
    known = encoder_names()
    plain = name.split(".")[0]  # timm: architecture.tag
    if name not in known and not (plain.startswith("tu-") and plain in known):
        raise unknown("encoder", name, known)


def encoder_names() -> set[str]:
    """List the encoders of smp and, as `tu-...`, those of timm."""
    import timm
    from segmentation_models_pytorch.encoders import encoders

    own = {name for name in encoders if not name.startswith("timm-")}
    return own | {f"tu-{name}" for name in timm.list_models()}


def encoder_weights(encoder: str, weights: str | None, *, way: str | None = None) -> Source:
    """Find an encoder's pretrained weights: an installed package first, then the cache, then the Hub.

    Args:
        encoder: Name as smp knows it.
        weights: `"imagenet"`, another set that smp offers for this encoder, or `None`.
        way: The first way out that the message names, for those who cannot take another encoder.

    Raises:
        SegDistillError: If there are none, or they would have to be downloaded and the host does not answer.
    """
    if weights is None:
        return Source()
    if encoder.startswith("tu-"):
        return _timm_weights(encoder, weights, way)
    return _smp_weights(encoder, weights)


def weight_sets(encoder: str) -> list[str]:
    """List the pretrained weights of an encoder by name."""
    from segmentation_models_pytorch.encoders import encoders

    if not encoder.startswith("tu-"):
        return sorted(encoders[encoder]["pretrained_settings"])
    import timm

    return ["imagenet"] if timm.models.is_model_pretrained(encoder[3:]) else []


def _smp_weights(encoder: str, weights: str) -> Source:
    from segmentation_models_pytorch.encoders import encoders

    _check_set(encoder, weights)
    settings = encoders[encoder]["pretrained_settings"][weights]
    needed = ("config.json", "model.safetensors")
    if not all(cached_hub_file(settings["repo_id"], [file], settings["revision"]) for file in needed):
        _ensure_hub(encoder)
    return Source(argument=weights)


def _timm_weights(encoder: str, weights: str, way: str | None) -> Source:
    wheel = find_wheel(encoder) if weights == "imagenet" else None
    if wheel is not None:
        return Source(finish=partial(_finish_with_wheel, name=encoder, path=wheel))
    _check_set(encoder, weights)
    import timm

    settings = timm.get_pretrained_cfg(encoder[3:])
    repo, _, revision = (settings.hf_hub_id or "").partition("@")
    names = [settings.hf_hub_filename] if settings.hf_hub_filename else list(TIMM_FILES)
    cached = cached_hub_file(repo, names, revision or None) if repo else None
    if cached and not settings.custom_load:  # by path: timm would ask the Hub for a newer one
        return Source(argument=True, extra={"pretrained_cfg_overlay": {"file": str(cached)}})
    _ensure_hub(encoder, url=None if repo else settings.url, way=way)
    return Source(argument=True)


def _finish_with_wheel(encoder: nn.Module, *, name: str, path: Path) -> None:
    net = encoder.model
    load_wheel(net, name, path)  # type: ignore[arg-type]


def _check_set(encoder: str, weights: str) -> None:
    known = weight_sets(encoder)
    if not known:
        raise SegDistillError(
            f"Encoder {encoder!r} has no pretrained weights; give weights='none' or a file."
        )
    if weights not in known:
        raise unknown(f"weights of {encoder}", weights, [*known, "none"])


def _ensure_hub(encoder: str, url: str | None = None, way: str | None = None) -> None:
    ways = [way] if way else [_other_way(encoder), "give weights= a file"]
    what = f"Pretrained weights of {encoder!r}"
    ensure_reachable(url or hub_url(), what, instead=[*ways, "set weights='none'"])


def _other_way(encoder: str) -> str:
    pip = pip_command(encoder)
    return (
        f"run `{pip}`" if pip else "take the encoder 'tu-tf_efficientnet_lite0', whose weights pip installs"
    )
