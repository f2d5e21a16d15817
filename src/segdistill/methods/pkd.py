"""Pearson correlation of features."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.traits import Traits

FLAT = 1e-6  # a spread below this share of the values is rounding


class PKD(PairMethod):
    r"""Match every channel up to its mean and scale.

    $$\underset{c}{\mathrm{mean}} \; (1 - r_c) = \tfrac{1}{2} \, \underset{n,c,i}{\mathrm{mean}} \,
    \big(z^s - z^t\big)^2$$

    with the Pearson correlation $r_c$ over all images and positions of a batch, that is, $z$ is standardised per
    channel. A trained 1x1 projection comes first. The authors' code takes the unbiased deviation, which makes the
    value smaller by $(n - 1)/n$ for $n$ positions in a batch: published weights (10 per level) hold. It has no
    projection, and needs equal channels.

    A channel that is constant over the batch (a dead ReLU) is all zeros when standardised, and gets no gradient.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = (
        "Cao et al., PKD: General Distillation Framework for Object Detectors via Pearson Correlation "
        "Coefficient, NeurIPS 2022 (arXiv 2207.02039)"
    )
    traits = Traits("features", relational=True)
    adapts = True

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (_standardised(student) - _standardised(teacher)).square().mean() / 2


def _standardised(feature: Tensor) -> Tensor:
    axes = [0, *range(2, feature.ndim)]
    centred = feature - feature.mean(dim=axes, keepdim=True)
    variance = centred.square().mean(dim=axes, keepdim=True)
    varies = variance > FLAT**2 * feature.square().mean(dim=axes, keepdim=True)
    # The slope grows as 1 / spread: a constant channel must not have one of 10^6.
    return centred * varies / variance.where(varies, 1).sqrt()
