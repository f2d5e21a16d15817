"""Pixel-wise distillation of the class distribution."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.limits import check_positive


class KD(PairMethod):
    r"""Match the class distribution of every pixel.

    $$T^2 \; \underset{n,i}{\mathrm{mean}} \; \mathrm{KL}\big(p^t_{ni} \,\|\, p^s_{ni}\big)$$

    with the task's distribution: a softmax over classes, or one Bernoulli per sigmoid channel. The mean is over
    independent distributions, so the value does not change with batch, size or the number of classes.

    Args:
        temperature: $T$, softness of the distributions.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive.
    """

    paper = "Hinton et al., Distilling the Knowledge in a Neural Network, 2015 (arXiv 1503.02531)"

    def __init__(self, temperature: float = 1.0, weight: float = 1.0) -> None:
        super().__init__("logits", weight)
        check_positive("KD", temperature=temperature)
        self.temperature = temperature

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s = self.task.log_probs(student, self.temperature)
        t = self.task.log_probs(teacher, self.temperature)
        return kl(s, t, dim=1).mean() * self.temperature**2
