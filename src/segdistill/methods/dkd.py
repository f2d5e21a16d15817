"""Decoupled distillation: the label and the other classes each for themselves."""

from __future__ import annotations

import torch
from torch import Tensor

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.labelled import mean_over_labelled
from segdistill.methods.parts.limits import check_factors, check_positive
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

FAR = -1e9  # a logit that gets no probability, yet is finite: 0 * FAR is 0


class DKD(PairMethod):
    r"""Match how sure the teacher is of the label, and what it sees among the other classes, separately.

    At every labelled pixel, with label $y$ and probabilities at temperature $T$:

    $$T^2 \big( \alpha \, \mathrm{KL}(b^t \| b^s) + \beta \, \mathrm{KL}(q^t \| q^s) \big), \qquad
    b = (p_y, 1 - p_y), \quad q = \mathrm{softmax}_{c \ne y}(z_c / T)$$

    In `KD` the second term is weighted by $1 - p^t_y$, so that it vanishes where the teacher is sure; here it is not.
    The value is the mean over images of the mean over labelled pixels. Ignored pixels are left out; an image without
    any label counts as zero. The published constants, $\alpha = 1$, $\beta = 8$, $T = 4$, are for image classification
    and mean the same here.

    Args:
        alpha: $\alpha$, weight of the label's term (TCKD).
        beta: $\beta$, weight of the other classes' term (NCKD).
        temperature: $T$, softness of the distributions.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, a weight is negative or all are zero, or (in `build`) there
            are fewer than three classes.
    """

    paper = "Zhao et al., Decoupled Knowledge Distillation, CVPR 2022 (arXiv 2203.08679)"
    traits = Traits(
        labels=True,
        tasks=("Multiclass",),
        reason="beside the label there is only one other outcome, and nothing to tell apart; use KD",
    )

    def __init__(
        self, alpha: float = 1.0, beta: float = 8.0, temperature: float = 4.0, weight: float = 1.0
    ) -> None:
        super().__init__("logits", weight)
        check_positive("DKD", temperature=temperature)
        check_factors("DKD", {"alpha": alpha, "beta": beta})
        self.alpha, self.beta, self.temperature = alpha, beta, temperature

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        if task.channels < 3:
            raise SegDistillError(
                f"DKD needs at least 3 classes, got {task.channels}: beside the label there is only one other, and "
                f"nothing to tell apart. Use KD."
            )

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        valid = self.task.valid(mask)
        label = mask.long().unsqueeze(1).where(valid, 0)
        (s_label, s_others), (t_label, t_others) = (
            decoupled(z / self.temperature, label) for z in (student, teacher)
        )
        values = self.alpha * kl(s_label, t_label, dim=1) + self.beta * kl(s_others, t_others, dim=1)
        return mean_over_labelled(values.unsqueeze(1), valid) * self.temperature**2


def decoupled(logits: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probabilities of the label or not `(B, 2, *spatial)`, and among the others `(B, C, *spatial)`.

    Args:
        logits: `(B, C, *spatial)`.
        label: `(B, 1, *spatial)` class indices; in the second result the label has no probability.
    """
    others = logits.scatter(1, label, FAR)
    total = others.logsumexp(dim=1, keepdim=True)
    return torch.cat([logits.gather(1, label), total], dim=1).log_softmax(dim=1), others - total
