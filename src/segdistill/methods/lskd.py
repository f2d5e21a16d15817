"""Distillation of standardised logits."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.limits import check_positive
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

EPS = 1e-7  # the authors'
FLAT = 1e-6  # a spread below this is rounding


class LSKD(PairMethod):
    r"""Match the class distribution of every pixel after its logits are standardised.

    $$T^2 \; \underset{n,i}{\mathrm{mean}} \;
    \mathrm{KL}\big(\sigma(\bar z^t_{ni} / T) \,\|\, \sigma(\bar z^s_{ni} / T)\big), \qquad
    \bar z = \frac{z - \mathrm{mean}_c z}{\mathrm{std}_c z + 10^{-7}}$$

    with the softmax $\sigma$ and the unbiased standard deviation over the classes at one pixel. The student learns the
    order and the relative gaps of the classes, not how sure the teacher is. A pixel whose logits are all equal has no
    shape: it stands for the uniform distribution and gets no gradient from here.

    A published weight is `weight` here (image classification: 9, at temperature 2). The authors' function standardises
    over the last dimension, which on a `(B, C, H, W)` map would be a row of pixels; here it is always over the classes.

    Args:
        temperature: $T$, softness of the distributions.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, or (in `build`) there are fewer than three classes.
    """

    paper = "Sun et al., Logit Standardization in Knowledge Distillation, CVPR 2024 (arXiv 2403.01427)"
    traits = Traits(
        tasks=("Multiclass",),
        reason="a standard score compares the classes of one softmax, and sigmoid channels are no such classes; use KD",
    )

    def __init__(self, temperature: float = 2.0, weight: float = 1.0) -> None:
        super().__init__("logits", weight)
        check_positive("LSKD", temperature=temperature)
        self.temperature = temperature

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        if task.channels < 3:
            raise SegDistillError(
                f"LSKD needs at least 3 classes, got {task.channels}: two standardised logits are ±0.71, whatever the "
                f"network says. Use KD."
            )

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s = self.task.log_probs(standardised(student), self.temperature)
        t = self.task.log_probs(standardised(teacher), self.temperature)
        return kl(s, t, dim=1).mean() * self.temperature**2


def standardised(logits: Tensor) -> Tensor:
    """Logits `(B, C, *spatial)` of mean 0 and spread 1 over the classes of every pixel."""
    centred = logits - logits.mean(dim=1, keepdim=True)
    variance = centred.square().sum(dim=1, keepdim=True) / (logits.shape[1] - 1)  # faster than torch.var
    varies = variance > FLAT**2
    # The slope grows as 1 / spread: rounding errors must not become a gradient of 10^7.
    return centred * varies / (variance.where(varies, 1).sqrt() + EPS)
