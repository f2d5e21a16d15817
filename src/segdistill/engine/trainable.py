"""Everything that gets gradients, behind one forward."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.engine import hooks
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
        method: What to learn beside the labels, from a teacher or from the student itself; `None` for nothing.
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
            teacher: The teacher's maps by tap name, with its logits under `"logits"`; without it the method gets
                the student's own output, without a graph.

        Returns:
            Weighted scalars by name; the supervised one is `"task"`.

        Raises:
            SegDistillError: If there is no teacher, but the method cannot do without one.
        """
        output = self.student(image)
        terms = {TASK: self.loss.of(output, mask, self.task) * self.task_weight}
        if self.method is not None:
            if teacher is None:
                hooks.check_needs_no_teacher(self.method)
            theirs = detached(output) if teacher is None else unflatten(teacher)
            terms.update(self.method(output, theirs, mask))
        return terms

    @property
    def task_weight(self) -> float:
        """Factor of the supervised loss, as the parts of the method want it now."""
        return math.prod(part.task_weight for part in hooks.parts(self.method))


def detached(output: Output) -> Output:
    """An `Output` without its graph."""
    return Output(output.logits.detach(), {name: value.detach() for name, value in output.features.items()})


def flatten(output: Output) -> dict[str, Tensor]:
    """An `Output` as the flat dict that crosses wrappers such as DDP."""
    return {**output.features, LOGITS: output.logits}


def unflatten(maps: Mapping[str, Tensor]) -> Output:
    """The way back from `flatten`."""
    return Output(maps[LOGITS], {name: value for name, value in maps.items() if name != LOGITS})
