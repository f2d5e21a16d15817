"""What every supervised loss is."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.tasks import Multiclass, Task


class Loss(nn.Module):
    """Turn logits and labels into a scalar.

    All losses are means over images of a value per image, so neither the batch size, gradient accumulation
    nor the number of processes changes what is optimised. They compute in float32 under autocast.

    Attributes:
        paper: Where the loss comes from.
        taps: Features of the network that the loss reads; most read the logits alone.
        fractions: Whether it has a meaning for masks that hold shares of foreground instead of labels.
    """

    paper: ClassVar[str] = ""
    catalogue: ClassVar[dict[str, type[Loss]]] = {}

    taps: Sequence[str] = ()
    fractions: bool = False

    def __init__(self) -> None:
        super().__init__()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if not inspect.isabstract(cls) and not cls.__name__.startswith("_"):
            Loss.catalogue[cls.__name__] = cls

    def forward(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        """Compute the loss.

        Args:
            logits: `(B, C, *spatial)`, with the task's channels.
            mask: Labels as the task has them.
            task: What the labels mean.

        Returns:
            A scalar.
        """
        return self.per_image(logits.float(), mask, task).mean()

    def of(self, output: Output, mask: Tensor, task: Task) -> Tensor:
        """The loss of all that a network returns, a scalar; what training calls."""
        loss: Tensor = self(output.logits, mask, task)
        return loss

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        """The loss of every image, `(B,)`; what subclasses write."""
        raise NotImplementedError(f"{type(self).__name__} must define per_image().")


def default(task: Task) -> Loss:
    """The loss that fits a task where the user names none: Dice plus cross-entropy of the task's distribution."""
    return Loss.catalogue["DiceCE" if isinstance(task, Multiclass) else "DiceBCE"]()


def mean_over_valid(values: Tensor, valid: Tensor) -> Tensor:
    """Mean per image over the pixels that count; an image without any gives 0.

    Args:
        values: `(B, C, *spatial)`.
        valid: `(B, 1, *spatial)`.
    """
    weight = valid.expand_as(values).flatten(1).float()
    return (values.flatten(1) * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)
