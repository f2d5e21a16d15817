"""The pair-wise comparison of structured distillation, up to what the length of a feature is."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.cells import max_of_cells
from segdistill.methods.parts.limits import check_count, check_share
from segdistill.methods.traits import Traits


class PairsOfCells(PairMethod, listed=False):
    """Compare the cosines of all pairs of an image's cells; subclasses say how a cell becomes a direction.

    Args:
        taps: Where to compare.
        scale: Side of a cell over the map's, 0.5 if no patch is given.
        patch: Side of a cell in positions, instead of a scale.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If both are given, the scale is not in (0, 1], or the patch holds no position.
    """

    paper = "Liu et al., Structured Knowledge Distillation for Semantic Segmentation, CVPR 2019 (arXiv 1903.04197)"
    traits = Traits("relations", tiles=False)

    def __init__(
        self,
        taps: Taps = "high",
        scale: float | None = None,
        patch: int | None = None,
        weight: float = 1.0,
    ) -> None:
        super().__init__(taps, weight)
        name = type(self).__name__
        if scale is not None and patch is not None:
            raise SegDistillError(
                f"{name} takes a scale or a patch, got scale={scale} and patch={patch}. Leave one out."
            )
        if scale is not None:
            check_share(name, one=True, scale=scale)
        if patch is not None:
            check_count(name, patch=patch)
        self.scale, self.patch = 0.5 if scale is None else scale, patch

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (self.cosines(student) - self.cosines(teacher)).square().mean()

    def cosines(self, feature: Tensor) -> Tensor:
        """Of every pair of cells, `(B, cells, cells)`."""
        sizes = [self.patch or max(1, int(n * self.scale)) for n in feature.shape[2:]]
        cells = self.directions(max_of_cells(feature, sizes)).flatten(2)
        return cells.transpose(1, 2) @ cells

    def directions(self, cells: Tensor) -> Tensor:
        """The cells `(B, C, *grid)` at unit length over their channels."""
        raise NotImplementedError(f"{type(self).__name__} must define directions().")
