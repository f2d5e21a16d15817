"""Intra-class feature variation distillation."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.regions import region_cosines, regions
from segdistill.methods.traits import Traits


class IFVD(PairMethod):
    r"""Match how far every pixel's feature is from the mean feature of its class in the image.

    With $m_k$ the mean feature over the pixels of class $k$, and $M_i = \cos(f_i, m_{y_i})$:

    $$\underset{n}{\mathrm{mean}} \; \underset{i}{\mathrm{mean}} \; \big(M^s_{ni} - M^t_{ni}\big)^2$$

    over labelled pixels. Each network has its own means, so channels need not agree. Labels are averaged over the
    cells of a coarser feature: a cell of several classes is compared with the mean of each, by its shares. The
    background is a class too. An image without labels has a distance of zero.

    The authors give a cell the label of its nearest pixel, and keep ignored pixels in the mean, at a distance of zero:
    their value is ours times the share of labelled pixels, and a published weight (200; 20 in CIRKD's
    benchmark) is the weight here where few pixels are ignored.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Wang et al., Intra-class Feature Variation Distillation for Semantic Segmentation, ECCV 2020"
    traits = Traits("features", labels=True)

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        shares = regions(self.task, mask, student.shape[2:])
        distance = (region_cosines(student, shares) - region_cosines(teacher, shares)).square()
        mass = shares.flatten(1).sum(dim=1)
        return ((distance * shares.flatten(2)).sum(dim=(1, 2)) / mass.where(mass > 0, 1)).mean()
