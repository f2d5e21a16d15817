"""IFVD as released."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.regions import full_regions, region_cosines
from segdistill.methods.traits import Traits


class ReleasedIFVD(PairMethod, listed=False):
    """`IFVD` as its authors' code computes it.

    A cell has the label of its nearest pixel, so small regions get lost, and ignored pixels stay in the mean with a
    distance of zero, so the value falls with their number.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss, as published.
    """

    paper = "Wang et al., Intra-class Feature Variation Distillation for Semantic Segmentation, ECCV 2020"
    traits = Traits("features", labels=True)

    def __init__(self, taps: Taps = "high", weight: float = 200.0) -> None:
        super().__init__(taps, weight)

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        shares = F.interpolate(full_regions(self.task, mask), size=tuple(student.shape[2:]), mode="nearest")
        distance = (region_cosines(student, shares) - region_cosines(teacher, shares)).square()
        return (distance * shares.flatten(2)).sum(dim=1).mean()
