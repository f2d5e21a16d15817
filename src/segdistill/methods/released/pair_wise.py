"""The pair-wise term as structured distillation's own code has it."""

from __future__ import annotations

from torch import Tensor
from torch.linalg import vector_norm

from segdistill.methods.parts.pairs_of_cells import PairsOfCells

_EPSILON = 1e-8


class PairWisePublished(PairsOfCells, listed=False):
    """`PairWise` with the length of every cell's feature held constant in the backward pass.

    Its value is that of `PairWise`. Its gradient is not that of a cosine: it also stretches features, which changes no
    cosine. The projects that build upon that code (AICSD and its predecessor) inherit this.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        scale: Side of a cell over the map's, 0.5 if no patch is given.
        patch: Side of a cell in positions, instead of a scale.
        weight: Factor in the total loss.
    """

    def directions(self, cells: Tensor) -> Tensor:
        length: Tensor = vector_norm(cells.detach(), dim=1, keepdim=True)
        return cells / (length + _EPSILON)
