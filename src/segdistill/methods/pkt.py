"""Probabilities that images are neighbours."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import Taps
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.relational import RelationalMethod, embedding
from segdistill.methods.traits import Traits

_EPSILON = 1e-7  # the authors'; two opposite images have a probability of zero


class PKT(RelationalMethod):
    r"""Match how probable a network finds it that two images are neighbours.

    An image's embedding $e$ is its feature's mean over positions. With
    $p_{nm} \propto \tfrac12 (\cos(e_n, e_m) + 1)$, every row summing to one:

    $$\underset{n}{\mathrm{mean}} \sum_m p^t_{nm} \log \frac{p^t_{nm} + \epsilon}{p^s_{nm} + \epsilon}$$

    The authors' code takes the mean over the row too, so that its value falls as the batch grows: a published weight
    $w$ for batches of $N$ images is `weight = w / N` here. Channels and sizes of the two networks may differ.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = (
        "Passalis and Tefas, Learning Deep Representations with Probabilistic Knowledge Transfer, ECCV 2018"
    )
    traits = Traits("relations", relational=True, images=2)

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = _neighbours(student), _neighbours(teacher)
        return (t * ((t + _EPSILON) / (s + _EPSILON)).log()).sum(dim=1).mean()


def _neighbours(feature: Tensor) -> Tensor:
    e = unit(embedding(feature))
    likeness = (e @ e.T + 1) / 2
    return likeness / likeness.sum(dim=1, keepdim=True)
