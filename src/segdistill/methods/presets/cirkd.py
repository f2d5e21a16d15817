"""Cross-image relations: mini-batch and memory."""

from __future__ import annotations

from segdistill.methods.base import Method, Sum
from segdistill.methods.cirkd import CIRKD
from segdistill.methods.cirkd_memory import CIRKDMemory
from segdistill.methods.kd import KD
from segdistill.methods.presets.preset import Preset


def _make(pool: int) -> Method:
    return Sum(KD(), CIRKD(pool=pool), CIRKDMemory(pixels=20_000, regions=2_000, weight=0.1))


PRESET = Preset(
    name="cirkd",
    about="KD, similarity to the pixels of the batch, and similarity to 20000 pixels and 2000 regions per class.",
    source="Yang et al., Cross-Image Relational Knowledge Distillation for Semantic Segmentation, CVPR 2022",
    differences=(
        "The first release averages features over 2 x 2 cells before it compares pixels of the batch, which "
        "`as_released` repeats. Its memory stores the first pixels of an image whatever their class, and overwrites "
        "the newest at the ring's end; these faults are not repeated. On VOC the memory's weight is 0.01. The "
        "authors read the feature before the classes, at stride 8; here it is the deepest encoder feature, whose "
        "pixels are few enough for U-Nets too."
    ),
    paper=lambda: _make(pool=1),
    released=lambda: _make(pool=2),
)
