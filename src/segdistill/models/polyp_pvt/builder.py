"""Build Polyp-PVT for `load`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segdistill.models.built import Built
from segdistill.models.encoders import encoder_weights
from segdistill.models.options import check_options, construct, named_parameters
from segdistill.models.polyp_pvt.backbone import check_name, pyramid
from segdistill.models.polyp_pvt.names import rename
from segdistill.models.polyp_pvt.network import PolypPVT
from segdistill.models.preprocessing import encoder_statistics

RESERVED = {
    "classes": "it is the argument classes= of load and follows from the task in a recipe",
    "in_channels": "it is the argument in_channels= of load",
}


def build(options: Mapping[str, Any], *, classes: int, in_channels: int, weights: str | None) -> Built:
    """Build the network; `"imagenet"` gives its backbone ImageNet weights.

    Raises:
        SegDistillError: If an option is wrong, or the weights cannot be had.
    """
    parameters = named_parameters(PolypPVT)
    check_options("PolypPVT", options, allowed=parameters, reserved=RESERVED)
    backbone = options.get("backbone", parameters["backbone"].default)
    check_name(backbone)
    source = encoder_weights(
        f"tu-{backbone}", weights, way=f"give weights='{backbone}.pth', timm's or the authors'"
    )
    net = construct("PolypPVT", PolypPVT, {**options, "classes": classes, "in_channels": in_channels})
    if weights is not None:
        net.backbone = pyramid(
            backbone, in_channels=in_channels, drop_path_rate=net.drop_path_rate, source=source
        )
    statistics = encoder_statistics(f"tu-{backbone}", in_channels)
    return Built(net, *statistics, PolypPVT.aliases, rename)
