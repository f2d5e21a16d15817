"""Correlation of channels."""

from __future__ import annotations

from math import ceil

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.cells import split
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_count
from segdistill.methods.traits import Traits


class ICKD(PairMethod):
    r"""Match which channels of a feature go together (inter-channel correlation).

    With $G_{cd} = \sum_i f_{ci} f_{di}$ over the positions of an image, every row of $G$ at unit length:

    $$\underset{n,c}{\mathrm{mean}} \sum_d \big(G^s_{cd} - G^t_{cd}\big)^2$$

    For dense prediction the authors cut the map into patches and compare the correlations within each; the value is
    then the mean over patches. A published weight carries over. (torchdistill divides by the number of images once
    more.)

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        grid: How many patches each side of the map is cut into, at most; 1 compares whole maps.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the grid has no patch.
    """

    paper = "Liu et al., Exploring Inter-Channel Correlation for Diversity-Preserved Knowledge Distillation, ICCV 2021"
    traits = Traits("relations")
    adapts = True

    def __init__(self, taps: Taps = "high", grid: int = 1, weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        check_count("ICKD", grid=grid)
        self.grid = grid

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        difference = self.correlation(student) - self.correlation(teacher)
        return difference.square().sum(dim=3).mean()

    def correlation(self, feature: Tensor) -> Tensor:
        """Of a feature's channels, `(B, patches, C, C)`."""
        # The zeros that fill up the patches at the border add nothing to a sum of products.
        patches = split(feature, [ceil(n / self.grid) for n in feature.shape[2:]])
        return unit(patches @ patches.transpose(2, 3), dim=3)
