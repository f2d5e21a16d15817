"""Region affinity distillation."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.regions import region_directions, regions
from segdistill.methods.traits import Traits


class RAD(PairMethod):
    r"""Match how alike the regions of the labels are in feature space, region by region.

    With $r_k$ the mean feature over region $k$ of an image:

    $$\underset{n}{\mathrm{mean}} \; \underset{k < l}{\mathrm{mean}} \;
    \big(\cos(r^s_k, r^s_l) - \cos(r^t_k, r^t_l)\big)^2$$

    over the pairs of regions that the image has. The background is a region too. Labels are averaged over the cells
    of each network's own feature, so that small regions are not lost, and neither channels nor sizes have to
    agree. An image with fewer than two regions has a distance of zero, as has one that is ignored altogether.

    The authors have two regions and shrink the labels to the nearest pixel, which loses small lesions; the one that
    they add to the count of foreground pixels cancels in the cosine. A published weight is the weight here.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = (
        "Qin et al., Efficient Medical Image Segmentation Based on Knowledge Distillation, "
        "IEEE TMI 2021 (arXiv 2108.09987)"
    )
    traits = Traits("features", labels=True)

    def __init__(self, taps: Taps = ("low", "high"), weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """In float32, each at its own size: only means over regions are compared."""
        return student.float(), teacher.detach().float()

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        shares = regions(self.task, mask, student.shape[2:])
        same = teacher.shape[2:] == student.shape[2:]
        theirs = shares if same else regions(self.task, mask, teacher.shape[2:])
        distance = (cosines(student, shares) - cosines(teacher, theirs)).square()
        there = (shares.flatten(2).amax(dim=2) > 0).float()
        pairs = (there.unsqueeze(1) * there.unsqueeze(2)).triu(1)
        return ((distance * pairs).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)).clamp(min=1)).mean()


def cosines(feature: Tensor, shares: Tensor) -> Tensor:
    """Cosine of the mean features of every two regions, `(B, K, K)`."""
    directions = region_directions(feature, shares)
    return directions @ directions.transpose(1, 2)
