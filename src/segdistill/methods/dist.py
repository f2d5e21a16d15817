"""Distillation of relations: correlation instead of equality."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.limits import check_factors, check_positive
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

FLAT = 1e-6  # a spread below this share of the values is rounding


class DIST(PairMethod):
    r"""Match the teacher's probabilities up to scale and shift, along the classes and along the pixels.

    With the matrix $P$ of probabilities at temperature $T$, one row per pixel of the whole batch, one column per class,
    and the Pearson correlation $\rho$:

    $$T^2 \big( \beta \, \underset{\mathrm{rows}}{\mathrm{mean}} (1 - \rho(P^t_r, P^s_r)) +
    \gamma \, \underset{\mathrm{columns}}{\mathrm{mean}} (1 - \rho(P^t_c, P^s_c)) \big)$$

    The first term (inter) compares the classes of one pixel, the second (intra) one class over all pixels of the batch.
    Sigmoid tasks have one column per channel, the probability of "yes". Inter needs three columns: two numbers
    correlate by ±1 whatever they are, so with fewer (binary; two classes) it is left out, and intra alone teaches.

    A row or column in which the teacher is constant says nothing and is left out of the mean; where only the student is
    constant, the correlation counts as zero, without a gradient.

    The published constants, $\beta = \gamma = T = 1$, mean the same here. Code that feeds a `(B, C, H, W)` map to the
    authors' classification loss correlates over the width or the batch instead: another loss, and no multiple of it.

    Args:
        beta: $\beta$, weight of the correlation over the classes of a pixel.
        gamma: $\gamma$, weight of the correlation over the pixels of a class.
        temperature: $T$, softness of the probabilities.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If the temperature is not positive, a weight is negative or all are zero, or (in `build`)
            nothing is left to compare.
    """

    paper = "Huang et al., Knowledge Distillation from A Stronger Teacher, NeurIPS 2022 (arXiv 2205.10536)"
    traits = Traits(relational=True)

    def __init__(
        self, beta: float = 1.0, gamma: float = 1.0, temperature: float = 1.0, weight: float = 1.0
    ) -> None:
        super().__init__("logits", weight)
        check_positive("DIST", temperature=temperature)
        check_factors("DIST", {"beta": beta, "gamma": gamma})
        self.beta, self.gamma, self.temperature = beta, gamma, temperature

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        if task.channels < 3 and not self.gamma > 0:
            raise SegDistillError(
                f"DIST with gamma=0 has nothing to compare: fewer than 3 channels, here {task.channels}, do not "
                f"correlate over the classes. Set gamma=1."
            )

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (self.task.probabilities(z / self.temperature).flatten(2) for z in (student, teacher))
        loss = self.gamma * distance(s, t, dim=(0, 2))
        if s.shape[1] > 2:
            loss = loss + self.beta * distance(s, t, dim=(1,))
        return loss * self.temperature**2


def distance(student: Tensor, teacher: Tensor, dim: tuple[int, ...]) -> Tensor:
    """One minus the correlation along `dim`, mean over where the teacher varies."""
    s, s_length, s_varies = centred(student, dim)
    t, t_length, t_varies = centred(teacher, dim)
    apart = 1 - (s * t).sum(dim=dim, keepdim=True) / (s_length * t_length) * s_varies
    return (apart * t_varies).sum() / t_varies.sum().clamp(min=1)


def centred(values: Tensor, dim: tuple[int, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Values of mean 0 along `dim`, their length, and where they vary; where they do not, the length is 1."""
    mean = values.mean(dim=dim, keepdim=True)
    apart = values - mean
    squares = apart.square().sum(dim=dim, keepdim=True)
    count = values.numel() / mean.numel()
    varies = squares > FLAT**2 * (squares + count * mean.square())
    # Neither 0/0 nor a gradient of rounding errors: the root is taken of what has a slope.
    return apart, squares.where(varies, 1).sqrt(), varies
