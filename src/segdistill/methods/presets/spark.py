"""SPARK: cross-guided features with position augmentation, and KD."""

from __future__ import annotations

from segdistill.methods.base import Method, Sum
from segdistill.methods.kd import KD
from segdistill.methods.presets.preset import Preset
from segdistill.methods.released.untrained import Untrained
from segdistill.methods.spark import SPARK

#: The release's scale of a pair, by the positions of the teacher's map for images of 384 pixels.
_LOW, _HIGH = 400 / 192**2, 400 / 48**2
_KD_WEIGHT = 0.1999


def _released() -> Method:
    factors = (1.0 * _LOW, 0.6 * _LOW, 1.0 * _HIGH, 0.5 * _HIGH)
    return Sum(Untrained(SPARK(factors=factors, weight=0.08)), KD(temperature=4, weight=_KD_WEIGHT))


PRESET = Preset(
    name="spark",
    about="Both levels of the teacher guide both levels of the student (0.08), and KD (0.1999).",
    source=(
        "SPARK: Cross-Guided Knowledge Distillation with Spatial Position Augmentation for Medical Image Segmentation "
        "(code: Gavin-xlb/distillib, 2023 or later)"
    ),
    differences=(
        "The code draws its projections anew in every step and trains none of them, and its augmentation depends on "
        "the resolution. `as_released` repeats both, at the scale that the teacher's maps of 192 and 48 positions per "
        "edge have there; the batch norm after the projections is left out. `paper` has the published 0.08 on a "
        "distance that does not depend on the resolution: at 384 pixels low pairs weigh 92 and high ones 6 times more."
    ),
    paper=lambda: Sum(SPARK(weight=0.08), KD(temperature=4, weight=_KD_WEIGHT)),
    released=_released,
)
