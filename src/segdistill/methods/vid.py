"""Variational information distillation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.limits import check_finite
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

LEAST = 1e-5  # variance


class VID(PairMethod):
    r"""Maximise a lower bound of the mutual information of two features.

    The teacher's feature is taken as Gaussian around a trained 1x1 projection $\mu$ of the student's, with a trained
    variance per channel; the loss is its negative log-likelihood up to a constant:

    $$\underset{n,c,i}{\mathrm{mean}} \; \tfrac{1}{2} \left[ \frac{(\mu(f^s) - f^t)^2}{v_c} + \log v_c \right]$$

    Its least value is no fixed number: it falls below zero as the variances shrink. The mean is also what the public
    code bases take, so their weights hold; their regressors have three 1x1 layers.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        variance: Of every channel at the start.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the variance is not positive.
    """

    paper = "Ahn et al., Variational Information Distillation for Knowledge Transfer, CVPR 2019 (arXiv 1904.05835)"
    traits = Traits("features", zero=False)
    adapts = True

    def __init__(self, taps: Taps = "high", variance: float = 5.0, weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        check_finite("VID", variance=variance)
        if not variance > LEAST:
            raise SegDistillError(f"VID needs a variance above {LEAST}, got {variance}.")
        self.variance = variance
        self.spreads = nn.ParameterDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        start = math.log(math.expm1(self.variance - LEAST))  # softplus backwards
        for mine, theirs in self.pairs.items():
            want = teacher[theirs]
            self.spreads[key(mine)] = nn.Parameter(torch.full(want.shape[1:2], start, device=want.device))

    def compare_at(self, tap: str, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Mean negative log-likelihood of the teacher's `(B, C, *spatial)` around the student's, less its constant."""
        variance = F.softplus(self.spreads[key(tap)]) + LEAST
        errors = (student - teacher).square().movedim(1, -1)
        return (errors / variance + variance.log()).mean() / 2
