"""Regression of features."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.traits import Traits


class FitNet(PairMethod):
    r"""Match a feature through a trained 1x1 projection: mean of $(W f^s - f^t)^2$.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Romero et al., FitNets: Hints for Thin Deep Nets, ICLR 2015"
    traits = Traits("features")
    adapts = True

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (student - teacher).square().mean()
