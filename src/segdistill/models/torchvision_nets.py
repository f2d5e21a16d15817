"""Build torchvision's segmentation networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segdistill.core import SegDistillError, unknown
from segdistill.models.aliases import name_torchvision_stages
from segdistill.models.built import Built
from segdistill.models.catalogue import TORCHVISION
from segdistill.models.hub import cached_url_file, ensure_reachable
from segdistill.models.options import check_options, construct, named_parameters
from segdistill.models.preprocessing import imagenet_statistics

RESERVED = {
    "num_classes": "it is the argument classes= of load",
    "weights": "it is the argument weights= of load",
    "weights_backbone": "it is the argument weights= of load",
    "progress": "nothing is shown",
}


def build_torchvision(
    name: str, options: Mapping[str, Any], *, classes: int, in_channels: int, weights: str | None
) -> Built:
    """Build one of torchvision's segmentation networks; `"imagenet"` gives its backbone ImageNet weights.

    Raises:
        SegDistillError: If a name or an option is wrong, or the weights cannot be had.
    """
    from torchvision.models import segmentation

    if name not in TORCHVISION:
        raise unknown("network of torchvision", name, TORCHVISION)
    if in_channels != 3:
        raise SegDistillError(
            f"torchvision.{name} takes images of 3 channels, got in_channels={in_channels}."
        )
    build, what = getattr(segmentation, name), f"torchvision.{name}"
    parameters = named_parameters(build)
    check_options(what, options, allowed=parameters, reserved=RESERVED)
    backbone = _backbone_weights(name, parameters["weights_backbone"].default, weights)
    arguments = {**options, "num_classes": classes, "weights": None, "weights_backbone": backbone}
    net = construct(what, build, arguments)
    return Built(net, *imagenet_statistics(), name_torchvision_stages(name))


def _backbone_weights(name: str, imagenet: Any, weights: str | None) -> Any:
    if weights is None:
        return None
    if weights != "imagenet":
        raise unknown(f"weights of torchvision.{name}", weights, ["imagenet", "none"])
    if cached_url_file(imagenet.url) is None:
        ensure_reachable(
            imagenet.url,
            f"Pretrained weights of the backbone of 'torchvision.{name}'",
            instead=["give weights= a file", "set weights='none'"],
        )
    return imagenet
