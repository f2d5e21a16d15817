"""Efficient medical knowledge distillation: predictions, importance maps, regions."""

from __future__ import annotations

from segdistill.methods.at import AT
from segdistill.methods.base import Method, Sum
from segdistill.methods.kd import KD
from segdistill.methods.presets.preset import Preset
from segdistill.methods.rad import RAD


def _paper() -> Method:
    levels = ("low", "high")
    return Sum(
        KD(temperature=4, weight=0.1), AT(taps=levels, power=4, weight=0.9), RAD(taps=levels, weight=0.9)
    )


PRESET = Preset(
    name="emkd",
    about="KD (0.1), importance maps (AT of power 4, 0.9) and the affinity of regions (0.9) at a low and a high level.",
    source=(
        "Qin et al., Efficient Medical Image Segmentation Based on Knowledge Distillation, IEEE TMI 2021 "
        "(arXiv 2108.09987)"
    ),
    differences=(
        "The code takes labels of the nearest pixel, which loses small lesions, and fails where a slice shows no "
        "background; its KD is half of the true value for four classes. None of this is repeated: for two classes and "
        "slices with both, it computes the same."
    ),
    paper=_paper,
)
