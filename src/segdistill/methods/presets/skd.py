"""Structured knowledge distillation: pixel-wise, pair-wise and holistic."""

from __future__ import annotations

from segdistill.methods.base import Method, Sum
from segdistill.methods.holistic import Holistic
from segdistill.methods.kd import KD
from segdistill.methods.pair_wise import PairWise
from segdistill.methods.presets.preset import Preset
from segdistill.methods.released.pair_wise import PairWisePublished

#: Root of the number of entries of a logit map on Cityscapes: 19 classes at 65 x 65 positions.
_SCALE = (19 * 65**2) ** 0.5
_BATCH = 8


def _holistic() -> Method:
    return Holistic(weight=0.1 * _SCALE, penalty=10 / (0.1 * _SCALE))


def _paper() -> Method:
    return Sum(KD(weight=10), PairWise(taps="high", scale=0.5, weight=10), _holistic())


def _released() -> Method:
    return Sum(KD(weight=10 * _BATCH), PairWisePublished(taps="high", scale=0.5, weight=1), _holistic())


PRESET = Preset(
    name="skd",
    about="Class distribution of every pixel, similarity of the encoder's cells, and a discriminator of logit maps.",
    source="Liu et al., Structured Knowledge Distillation for Semantic Segmentation, CVPR 2019 (arXiv 1903.04197)",
    differences=(
        "The paper weighs the pixel and the pair term by 10, the code has 10 and 1. The code's pixel term is a "
        "cross-entropy that is not divided by the batch size of 8, so its gradient is eight times that of KD; and it "
        "holds the cells' length constant in the backward pass. `as_released` repeats these. The discriminator's "
        "weight of 0.1 and penalty of 10 are converted for Cityscapes' 19 classes (see Holistic, also for what its "
        "discriminator does otherwise). The code's auxiliary head is not part of this."
    ),
    paper=_paper,
    released=_released,
)
