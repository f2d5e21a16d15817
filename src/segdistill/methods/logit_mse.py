"""Regression of the logits."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod


class LogitMSE(PairMethod):
    r"""Match the logits themselves: mean of $(z^s - z^t)^2$ over pixels and channels.

    It is the limit of `KD` at high temperature, for logits of mean zero.

    Args:
        weight: Factor in the total loss.
    """

    paper = "Ba and Caruana, Do Deep Nets Really Need to be Deep?, NeurIPS 2014"

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__("logits", weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (student - teacher).square().mean()
