"""Neuron selectivity transfer."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.traits import Traits


class NST(PairMethod):
    r"""Match the distribution of where the channels of a feature respond.

    Every channel is one sample: a vector over positions, of unit length. The loss is the squared maximum mean
    discrepancy of the student's and the teacher's samples in one image with the polynomial kernel
    $k(a, b) = \langle a, b \rangle^2$, averaged over images:

    $$\underset{n}{\mathrm{mean}} \Big[ \underset{c,c'}{\mathrm{mean}} \, k(a^s_c, a^s_{c'})
    - 2 \, \underset{c,c'}{\mathrm{mean}} \, k(a^s_c, a^t_{c'}) + \underset{c,c'}{\mathrm{mean}} \, k(a^t_c, a^t_{c'})
    \Big]$$

    Numbers of channels may differ; no projection is needed. The form is the public code bases' own: published
    weights (50) hold.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = (
        "Huang and Wang, Like What You Like: Knowledge Distill via Neuron Selectivity Transfer, 2017 "
        "(arXiv 1707.01219)"
    )
    traits = Traits("features")

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (F.normalize(f.flatten(2), dim=2) for f in (student, teacher))
        # Sums over pairs of channels are sums over pairs of positions too: take whichever are fewer.
        if s.shape[2] ** 2 < s.shape[1] * t.shape[1]:
            return (_second_moment(s) - _second_moment(t)).square().sum(dim=(1, 2)).mean()
        return _kernel(s, s) - 2 * _kernel(s, t) + _kernel(t, t)


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    return (a @ b.mT).square().mean()


def _second_moment(a: Tensor) -> Tensor:
    return a.mT @ a / a.shape[1]
