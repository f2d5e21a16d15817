"""Adaptive inter-class similarity distillation."""

from __future__ import annotations

from segdistill.methods.aicsd import AICSD
from segdistill.methods.base import Method, Sum
from segdistill.methods.kd import KD
from segdistill.methods.presets.preset import Preset, with_task_weight
from segdistill.methods.released.aicsd import ReleasedICSD

_CLASSES = 21
_BATCH = 6


def _released() -> Method:
    pixel = with_task_weight(KD(weight=10 / _CLASSES), 1 / _BATCH)
    return Sum(pixel, ReleasedICSD(weight=9500))


PRESET = Preset(
    name="aicsd",
    about="How the classes of an image differ in where they are; KD early and labels late in the training.",
    source=(
        "Mansourian et al., AICSD: Adaptive Inter-Class Similarity Distillation for Semantic Segmentation, "
        "Multimedia Tools and Applications 2025 (arXiv 2308.04243)"
    ),
    differences=(
        "The code's inter-class term is another formula (see ReleasedICSD), which alone fits its weight of 9500; the "
        "shift from KD to the labels is commented out; its KD takes the mean over VOC's 21 classes too, so that its "
        "weight of 10 is 10/21; and it divides the supervised loss by the batch size of 6 once more. `as_released` "
        "repeats all four. The paper gives no weights that fit its formula, so the canonical form has 1 for each; for "
        "others write AICSD itself."
    ),
    paper=lambda: AICSD(),
    released=_released,
)
