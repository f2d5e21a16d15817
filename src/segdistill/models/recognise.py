"""Tell of which network a published checkpoint is, from the names and shapes in it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

#: PVTv2 by the channels of its first stage and the blocks of every stage.
PYRAMIDS: dict[tuple[int, tuple[int, ...]], str] = {
    (32, (2, 2, 2, 2)): "pvt_v2_b0",
    (64, (2, 2, 2, 2)): "pvt_v2_b1",
    (64, (3, 4, 6, 3)): "pvt_v2_b2",
    (64, (3, 4, 18, 3)): "pvt_v2_b3",
    (64, (3, 8, 27, 3)): "pvt_v2_b4",
    (64, (3, 6, 40, 3)): "pvt_v2_b5",
}
FIRST_LAYER = r"(?:^|\.)patch_embed1?\.proj\.weight$"
BLOCK = r"(?:^|\.)(?:block|stages[_.])(\d)\.(?:blocks\.)?(\d+)\.norm1\.weight$"
POLYP_PVT = r"(?:^|\.)(?:Translayer2_0|project_guide)\."

SMP = {
    "smp.UnetPlusPlus": r"(?:^|\.)decoder\.blocks\.x_0_0\.",
    "smp.Unet": r"(?:^|\.)decoder\.blocks\.0\.conv1\.",
}
#: Encoders of smp by one of their layers, its shape, and how many layers have weights.
ENCODERS = {
    "mobilenet_v2": (r"(?:^|\.)encoder\.features\.18\.0\.weight$", (1280, 320, 1, 1), 104),
    "resnet50": (r"(?:^|\.)encoder\.layer1\.0\.conv2\.weight$", (64, 64, 3, 3), 106),
}
#: What the projects feed their networks, as options of `load`: the MobileNetV2 project divides by 255 and no more.
FED: dict[str, dict[str, float]] = {
    "PolypPVT": {"size": 352},
    "smp.Unet": {"size": 320, "mean": 0, "std": 1},
    "smp.UnetPlusPlus": {"size": 320, "mean": 0, "std": 1},
}
ENCODER_WEIGHT = r"(?:^|\.)encoder\..*\.weight$"

Spec = dict[str, dict[str, str]]


def recognise(state: Mapping[str, Tensor]) -> Spec | None:
    """Find the network of a checkpoint among those of the polyp projects.

    Args:
        state: Tensors by name, whatever stands in front of the names.

    Returns:
        A spec for `load`, or `None` if the network is not known.
    """
    backbone = pyramid(state)
    if backbone and _find(POLYP_PVT, state):
        return {"PolypPVT": {"backbone": backbone}}
    architecture = next((name for name, layer in SMP.items() if _find(layer, state)), None)
    encoder = _encoder(state)
    return {architecture: {"encoder_name": encoder}} if architecture and encoder else None


def pyramid(state: Mapping[str, Tensor]) -> str | None:
    """The name of a PVTv2 that is, or lies in, a checkpoint."""
    first = _find(FIRST_LAYER, state)
    if first is None:
        return None
    stages = [int(match[1]) for key in state if (match := re.search(BLOCK, key))]
    depths = tuple(stages.count(stage) for stage in sorted(set(stages)))
    return PYRAMIDS.get((len(state[first]), depths))


def tell(state: Mapping[str, Tensor]) -> str:
    """A sentence on what a checkpoint holds, with a space in front; empty if that is not known."""
    if spec := recognise(state):
        name, options = next(iter(spec.items()))
        written = ", ".join(f"{key}: {value}" for key, value in options.items())
        return f" It is a checkpoint of {{{name}: {{{written}}}}}."
    backbone = pyramid(state)
    return f" It holds the layers of {backbone}." if backbone else ""


def _find(pattern: str, state: Mapping[str, Tensor]) -> str | None:
    return next((key for key in state if re.search(pattern, key)), None)


def _encoder(state: Mapping[str, Tensor]) -> str | None:
    count = sum(bool(re.search(ENCODER_WEIGHT, key)) for key in state)
    for name, (layer, shape, layers) in ENCODERS.items():
        key = _find(layer, state)
        if key and state[key].shape == shape and count == layers:
            return name
    return None
