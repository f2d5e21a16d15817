"""Distillation across stages: a stage of the teacher teaches all deeper ones of the student."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.abf import Fusion
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.hcl import hierarchical_mse
from segdistill.methods.parts.limits import check_count, check_share
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

START = 0.01  # of the warm-up: a weight of zero would train nothing at the first step


class ReviewKD(PairMethod):
    r"""Match stages of the teacher with what a trained review of the student's own and deeper stages makes of them.

    From deep to shallow, attention-based fusion (ABF) mixes each stage of the student with what the deeper ones
    handed on; the result is compared with the teacher's stage at several scales (HCL):

    $$\frac{\sum_l 2^{-l} \; \mathrm{mean} \, \big(\mathrm{pool}_l(f^s) - \mathrm{pool}_l(f^t)\big)^2}
    {\sum_l 2^{-l}}, \qquad \text{whole map, } 4 \times 4, \; 2 \times 2, \; 1 \times 1 \text{ cells}$$

    The authors' form is canonical: published weights hold per stage. The fusion ends in batch
    norms, so an image's loss depends a little on the others in its batch.

    Args:
        taps: Stages from shallow to deep: names, or a mapping from the student's to the teacher's.
        width: Channels of what stages hand on; common are 256 and more, at a cost per step.
        warmup: Part of the training in which the weight rises to its full value, 0 to 1.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the width or the warm-up is impossible, or, in `build`, the taps go from deep to shallow.
    """

    paper = "Chen et al., Distilling Knowledge via Knowledge Review, CVPR 2021 (arXiv 2104.09044)"
    traits = Traits("features", relational=True, zero=False, tiles=False)

    def __init__(
        self,
        taps: Taps = ("e2", "e3", "e4", "high"),
        width: int = 128,
        warmup: float = 0.0,
        weight: float = 1.0,
    ) -> None:
        super().__init__(taps, weight)
        check_count("ReviewKD", width=width)
        check_share("ReviewKD", zero=True, one=True, warmup=warmup)
        self.width, self.warmup = width, warmup
        self.fusions = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        self._check_order(student)
        deepest = next(reversed(self.pairs))
        for mine, theirs in self.pairs.items():
            have, want = student[mine], teacher[theirs]
            self.fusions[key(mine)] = Fusion(
                have.shape[1], self.width, want.shape[1], dimensions=have.ndim - 2, deepest=mine == deepest
            )

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            return {
                f"ReviewKD/{tap}": self.weight
                * self.rise
                * hierarchical_mse(
                    found, match_size(teacher[self.pairs[tap]].detach().float(), found.shape[2:])
                )
                for tap, found in self.review(student)
            }

    @property
    def rise(self) -> float:
        """Factor of the warm-up."""
        return min(1.0, max(START, self.progress / self.warmup)) if self.warmup else 1.0

    def review(self, student: Output) -> Iterator[tuple[str, Tensor]]:
        """Yield what each stage of the student makes of itself and of the deeper ones, deepest first."""
        handed_on = None
        for tap in reversed(self.pairs):
            found, handed_on = self.fusions[key(tap)](student[tap].float(), handed_on)
            yield tap, found

    def _check_order(self, student: Output) -> None:
        sizes = {tap: tuple(student[tap].shape[2:]) for tap in self.pairs}
        for shallow, deep in zip(sizes, list(sizes)[1:], strict=False):
            if any(a < b for a, b in zip(sizes[shallow], sizes[deep], strict=True)):
                raise SegDistillError(
                    f"ReviewKD needs its taps from shallow to deep, but {deep!r} {sizes[deep]} is larger than "
                    f"{shallow!r} {sizes[shallow]} before it. Turn the order."
                )
