"""Distillation without a teacher: a regulariser made from the labels."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.labelled import mean_over_labelled
from segdistill.methods.parts.limits import check_at_least, check_finite, check_positive
from segdistill.methods.parts.virtual_teacher import virtual_logits
from segdistill.methods.traits import Traits


class TfKD(PairMethod):
    r"""Learn from a virtual teacher that is always right and always equally sure.

    $$T^2 \; \mathrm{mean} \; \mathrm{KL}\big(p^d_T \,\|\, p^s_T\big), \qquad
    p^d = \begin{cases} a & \text{at the label} \\ (1 - a) / (C - 1) & \text{elsewhere} \end{cases}$$

    with both distributions at temperature $T$, as in `KD`; a sigmoid channel is a distribution of two outcomes. The
    mean over labelled pixels is taken per image, then over the images; an image without any label counts as zero. At
    the minimum the student is right everywhere and as sure as $a$, no surer.

    The paper trades it against the supervised loss, $(1 - \alpha) L + \alpha L_d$: that is `weight=alpha` with
    `task_weight=1 - alpha`. The authors' code computes another loss, and no multiple of this one: it takes the
    probabilities $p^d$ for logits (at $T = 20$ that is a nearly uniform teacher), leaves the student at temperature 1
    without $T^2$, takes the mean over classes too and multiplies by 100, with $\alpha = 0.1$ for a ResNet-18. Weights
    published for it do not carry over; nor do those of SPARK's copy, 0.95 and 0.05 at $T = 40$.

    Args:
        confidence: $a$, the virtual teacher's probability of the label.
        temperature: $T$, softness of the distributions.
        weight: Factor in the total loss.
        task_weight: Factor of the supervised loss.

    Raises:
        SegDistillError: If the confidence is not between 0.5 and 1, the temperature not positive, or the task's weight
            negative.
    """

    paper = (
        "Yuan et al., Revisiting Knowledge Distillation via Label Smoothing Regularization, CVPR 2020 "
        "(arXiv 1909.11723)"
    )
    traits = Traits("self", labels=True, teacher=False, zero=False)

    def __init__(
        self,
        confidence: float = 0.99,
        temperature: float = 20.0,
        weight: float = 1.0,
        task_weight: float = 1.0,
    ) -> None:
        super().__init__("logits", weight)
        check_finite("TfKD", confidence=confidence)
        if not 0.5 < confidence < 1:
            raise SegDistillError(f"TfKD needs a confidence between 0.5 and 1, got {confidence}.")
        check_positive("TfKD", temperature=temperature)
        check_at_least("TfKD", 0, task_weight=task_weight)
        self.confidence, self.temperature, self.task_weight = confidence, temperature, task_weight

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        s = self.task.log_probs(student, self.temperature)
        t = self.task.log_probs(virtual_logits(mask, self.task, self.confidence), self.temperature)
        return mean_over_labelled(kl(s, t, dim=1), self.task.valid(mask)) * self.temperature**2
