"""Similarity of the cells of an image."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.pairs_of_cells import PairsOfCells


class PairWise(PairsOfCells):
    r"""Match how alike the parts of an image are (the pair-wise term of structured distillation, SKD).

    The map is brought to few cells by the maximum over each; with $a_{ij}$ the cosine of cells $i$ and $j$:

    $$\underset{n,i,j}{\mathrm{mean}} \; \big(a^s_{ij} - a^t_{ij}\big)^2$$

    A published weight carries over, but not its effect: the authors' code holds the length of a cell's feature constant
    in the backward pass, so that its gradient is not that of a cosine (`released/pair_wise.py`; their paper gives the
    weight 10, their code 1). Channels may differ.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        scale: Side of a cell over the map's, 0.5 if no patch is given: two by two cells, and narrow ones at the border
            where the size is odd.
        patch: Side of a cell in positions, instead of a scale; CIRKD's code has 2.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If both are given, the scale is not in (0, 1], or the patch holds no position.
    """

    def directions(self, cells: Tensor) -> Tensor:
        return unit(cells)
