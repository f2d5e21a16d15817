"""Supervision of several heads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segdistill.core import Output, SegDistillError, unknown
from segdistill.losses.base import Loss, default
from segdistill.taps import resize
from segdistill.tasks import Task


class HeadSum(Loss):
    """The sum of a loss over a network's heads, instead of the loss of the logits.

    Networks that add their heads up, such as PolypPVT, are trained so: every head for itself. A head that is not of the
    image's size is resized to it. On logits alone, without heads, it is the plain loss.

    Args:
        loss: Name of the loss; that of the task (`DiceBCE`, `DiceCE`) if not given.
        heads: Taps of the network that give logits.

    Raises:
        SegDistillError: If there is no such loss, no head, or (when called) a head has other channels than the task.
    """

    def __init__(self, loss: str | None = None, heads: Sequence[str] = ("head1", "head2")) -> None:
        super().__init__()
        if loss is not None and loss not in Loss.catalogue:
            raise unknown("loss", loss, Loss.catalogue)
        if isinstance(heads, str) or not heads:
            raise SegDistillError(f"HeadSum needs a list of heads, got {heads!r}. Write [head1, head2], say.")
        self.loss, self.heads = loss, tuple(heads)
        self.taps = self.heads
        self.inner = Loss.catalogue[loss]() if loss else None
        self.fractions = self.inner is None or self.inner.fractions  # that of the task is Dice plus BCE

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        return self._each(task).per_image(logits, mask, task)

    def of(self, output: Output, mask: Tensor, task: Task) -> Tensor:
        each, size = self._each(task), output.logits.shape[2:]
        values = [each(resize(self._head(output, name, task), size), mask, task) for name in self.heads]
        return torch.stack(values).sum()

    def _each(self, task: Task) -> Loss:
        return self.inner or default(task)

    def _head(self, output: Output, name: str, task: Task) -> Tensor:
        head = output[name]
        if head.shape[1] != task.channels:
            raise SegDistillError(
                f"HeadSum supervises heads, but {name!r} has {head.shape[1]} channels and the task {task.channels}. "
                f"Name taps that give logits."
            )
        return head
