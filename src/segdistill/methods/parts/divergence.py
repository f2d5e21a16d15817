"""How far one distribution is from another."""

from __future__ import annotations

from torch import Tensor


def kl(student: Tensor, teacher: Tensor, *, dim: int) -> Tensor:
    r"""$\mathrm{KL}(p^t \| p^s)$ of log-probabilities, summed over the dimension of the outcomes."""
    return (teacher.exp() * (teacher - student)).sum(dim)
