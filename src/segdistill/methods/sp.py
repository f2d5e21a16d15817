"""Similarity of the images of a batch."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import Taps
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.relational import RelationalMethod
from segdistill.methods.traits import Traits


class SP(RelationalMethod):
    r"""Match which images of a batch a network finds alike (similarity-preserving).

    With a whole feature map as one vector per image, $G_{nm} = \langle f_n, f_m \rangle$, and every row of $G$ at unit
    length:

    $$\underset{n}{\mathrm{mean}} \sum_m \big(G^s_{nm} - G^t_{nm}\big)^2$$

    The authors divide by the squared number of images, so that their value falls as the batch grows: a published
    weight $w$ for batches of $N$ images is `weight = w / N` here. Channels and sizes of the two networks may differ.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Tung and Mori, Similarity-Preserving Knowledge Distillation, ICCV 2019 (arXiv 1907.09682)"
    traits = Traits("relations", relational=True, images=2)

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (_similarity(student) - _similarity(teacher)).square().sum(dim=1).mean()


def _similarity(feature: Tensor) -> Tensor:
    vectors = feature.flatten(1)
    return unit(vectors @ vectors.T, dim=1)
