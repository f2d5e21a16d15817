"""Similarity of channels across the images of a batch."""

from __future__ import annotations

from torch import Tensor, nn

from segdistill.methods.base import Taps, key
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.cells import mean_of_cells
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.limits import check_count, check_factors, check_positive
from segdistill.methods.parts.projector import Projector
from segdistill.methods.parts.relational import RelationalMethod
from segdistill.methods.parts.similarity import row_divergence
from segdistill.methods.traits import Traits


class CIRKDChannel(RelationalMethod):
    r"""Match which channels of all images of a batch a channel resembles (the channel terms of CIRKDv2).

    Features may be averaged over cells, the student's goes through a trained projection, and every channel's map is
    brought to unit length over its positions: $y$. Then, for all ordered pairs of images $n, m$, one with itself too,

    $$\lambda_r \underset{n,m,c}{\mathrm{mean}} \; \mathrm{KL}\Big(\mathrm{softmax}_d \tfrac{\langle y^t_{nc}, y^t_{md}
    \rangle}{\tau} \,\Big\|\, \mathrm{softmax}_d \tfrac{\langle y^s_{nc}, y^s_{md} \rangle}{\tau}\Big) +
    \lambda_m \, \underset{n,c}{\mathrm{mean}} \sum_i (y^s_{nci} - y^t_{nci})^2$$

    A published $\lambda_r$ (1) carries over. The authors' code takes the mean over positions in the second term too, so
    that it falls with resolution: a published $\lambda_m$ (100) for maps of $P$ cells is `regression = w / P` here. On
    Cityscapes with stride-8 features of 512 x 1024 crops $P$ is 512, whence the default. The authors' cells are 4 x 4
    positions of a feature of stride 8; a feature of stride 32 is as coarse without.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        temperature: $\tau$.
        relation: $\lambda_r$.
        regression: $\lambda_m$.
        pool: Side of the cells.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, a factor is negative or both are zero, or the pool holds
            no position.
    """

    paper = "Yang et al., Cross-Image Relational Knowledge Distillation for Semantic Segmentation, CVPR 2022, version 2"
    traits = Traits("relations", relational=True, images=2, zero=False)
    adapts = True

    def __init__(
        self,
        taps: Taps = "high",
        temperature: float = 0.1,
        relation: float = 1.0,
        regression: float = 0.2,
        pool: int = 1,
        weight: float = 1.0,
    ) -> None:
        super().__init__(taps, weight)
        check_positive("CIRKDChannel", temperature=temperature)
        check_factors("CIRKDChannel", {"relation": relation, "regression": regression})
        check_count("CIRKDChannel", pool=pool)
        self.temperature, self.pool = temperature, pool
        self.relation, self.regression = relation, regression

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return Projector(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Bring a pair to float32, the student's cells and the teacher's channels."""
        have, want = super().aligned(tap, student, teacher)
        want = mean_of_cells(match_size(want, have.shape[2:]), self.pool)
        return self.adapters[key(tap)](mean_of_cells(have, self.pool)), want

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = unit(student.flatten(2), dim=2), unit(teacher.flatten(2), dim=2)
        loss = (student * 0).sum()
        if self.relation:
            rows, theirs = s.flatten(0, 1), t.flatten(0, 1)
            loss = loss + self.relation * row_divergence(rows, s, theirs, t, temperature=self.temperature)
        if self.regression:
            loss = loss + self.regression * (s - t).square().sum(dim=2).mean()
        return loss
