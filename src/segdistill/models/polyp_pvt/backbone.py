"""PVTv2 from timm, as four stages."""

from __future__ import annotations

from typing import Any

from torch import nn

from segdistill.core import SegDistillError, unknown
from segdistill.models.encoders import Source

STAGES = ("stages_0", "stages_1", "stages_2", "stages_3")


def pyramid(name: str, *, in_channels: int, drop_path_rate: float, source: Source | None = None) -> Any:
    """Build a PVTv2 without its classifier: an image to maps of stride 4, 8, 16 and 32.

    Args:
        name: Such as `pvt_v2_b0`.
        in_channels: Channels of the image.
        drop_path_rate: See `PolypPVT`.
        source: Where its weights come from; they are random if not given.
    """
    import timm

    source = source or Source()
    pretrained = bool(source.argument)
    options = {"in_chans": in_channels, "drop_path_rate": drop_path_rate, **source.extra}
    return timm.create_model(name, features_only=True, pretrained=pretrained, **options)


def check_name(name: Any) -> None:
    """Refuse what is not a PVTv2.

    Raises:
        SegDistillError: With the nearest names.
    """
    import timm

    if not isinstance(name, str):
        raise SegDistillError(f"The backbone of PolypPVT must be a name such as 'pvt_v2_b0', got {name!r}.")
    if name.split(".")[0] not in (known := timm.list_models("pvt_v2*")):
        raise unknown("backbone of PolypPVT", name, known)


def widths(backbone: nn.Module) -> list[int]:
    """Channels of the four stages."""
    info: Any = backbone.feature_info
    return list(info.channels())
