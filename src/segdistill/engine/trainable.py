"""Everything that gets gradients, behind one forward."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.losses import Loss
from segdistill.methods import Method
from segdistill.taps import LOGITS, Tapped
from segdistill.tasks import Task

TASK = "task"


class Trainable(nn.Module):
    """Student, supervised loss and method: the one module that DDP, EMA, compile and the optimiser see.

    It is all that another trainer needs: give it a batch and the teacher's output, add up what it returns.

    Args:
        student: The network to train.
        task: What the labels mean.
        loss: Supervised loss.
        method: What to learn from the teacher; `None` trains without one.
    """

    def __init__(self, student: Tapped, task: Task, loss: Loss, method: Method | None = None) -> None:
        super().__init__()
        self.student, self.task, self.loss, self.method = student, task, loss, method

    def forward(
        self, image: Tensor, mask: Tensor, teacher: Mapping[str, Tensor] | None = None
    ) -> dict[str, Tensor]:
        """Compute all terms of the objective.

        Args:
            image: `(B, C, *spatial)` in [0, 1].
            mask: Labels as the task has them.
            teacher: The teacher's maps by tap name, with its logits under `"logits"`.

        Returns:
            Weighted scalars by name; the supervised one is `"task"`.
        """
        output = self.student(image)
        terms = {TASK: self.loss(output.logits, mask, self.task)}
        if self.method is not None and teacher is not None:
            terms.update(self.method(output, unflatten(teacher), mask))
        return terms


def flatten(output: Output) -> dict[str, Tensor]:
    """An `Output` as the flat dict that crosses wrappers such as DDP."""
    return {**output.features, LOGITS: output.logits}


def unflatten(maps: Mapping[str, Tensor]) -> Output:
    """The way back from `flatten`."""
    return Output(maps[LOGITS], {name: value for name, value in maps.items() if name != LOGITS})
