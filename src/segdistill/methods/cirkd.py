"""Similarity of pixels across the images of a batch."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import Output
from segdistill.methods.base import Taps
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.cells import mean_of_cells
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_count, check_positive
from segdistill.methods.parts.positions import check_positions
from segdistill.methods.parts.relational import RelationalMethod
from segdistill.methods.parts.similarity import row_divergence
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class CIRKD(RelationalMethod):
    r"""Match which pixels of all images of a batch a pixel resembles (cross-image relations, mini-batch term).

    With $x$ a pixel's feature at unit length, $i$ a pixel of image $n$, and a softmax over the pixels $j$ of image $m$:

    $$\underset{n,m,i}{\mathrm{mean}} \; \mathrm{KL}\Big(\mathrm{softmax}_j \tfrac{\langle x^t_{ni}, x^t_{mj} \rangle}
    {\tau} \,\Big\|\, \mathrm{softmax}_j \tfrac{\langle x^s_{ni}, x^s_{mj} \rangle}{\tau}\Big)$$

    over all ordered pairs of images, an image with itself included. $\tau$ scales a cosine, it does not soften a
    prediction, so nothing is multiplied by its square: a published weight (1) carries over. Time grows with the square
    of the number of pixels in the batch; memory does not, since the similarities are computed a few rows at a time and
    are not kept for the backward pass. `pool` is the authors' remedy for large maps: 2 in their first code, 4 later for
    sides of 256 and more. Channels may differ.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        temperature: $\tau$.
        pool: Side of the cells whose mean is compared instead of single positions.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, the pool holds no position, or (in `build`) a tap has a
            single cell.
    """

    paper = "Yang et al., Cross-Image Relational Knowledge Distillation for Semantic Segmentation, CVPR 2022"
    traits = Traits("relations", relational=True, images=2)

    def __init__(
        self, taps: Taps = "high", temperature: float = 0.1, pool: int = 1, weight: float = 1.0
    ) -> None:
        super().__init__(taps, weight)
        check_positive("CIRKD", temperature=temperature)
        check_count("CIRKD", pool=pool)
        self.temperature, self.pool = temperature, pool

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for tap in self.pairs:
            check_positions("CIRKD", tap, mean_of_cells(student[tap], self.pool))

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = self.pixels(student), self.pixels(match_size(teacher, student.shape[2:]))
        return row_divergence(s.flatten(0, 1), s, t.flatten(0, 1), t, temperature=self.temperature)

    def pixels(self, feature: Tensor) -> Tensor:
        """Directions of the pixels, `(B, positions, C)`."""
        return unit(mean_of_cells(feature, self.pool)).flatten(2).transpose(1, 2)
