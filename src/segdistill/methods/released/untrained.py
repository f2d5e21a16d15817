"""Projections that are drawn anew in every step, as several releases have them."""

from __future__ import annotations

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import Method
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class Untrained(Method, listed=False):
    """Another method, whose projections are random in every step.

    What is odd: the released code of SPARK, HLFD and Hilbert makes its projections within the loss, so that they are
    new in every step and in no optimiser. The student then learns to please random projections, and equal networks do
    not have distance zero. Only where the channels agree would their code have had none.

    Args:
        method: Whose projections it is about.
    """

    traits = Traits("features", zero=False, tiles=False, draws=True)

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.student_taps, self.teacher_taps = method.student_taps, method.teacher_taps

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        self.method.build(student, teacher, task)
        self.task = task
        self.requires_grad_(False)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        for module in self.method.modules():
            if isinstance(module, (nn.Conv1d, nn.Conv2d, nn.Conv3d)):
                module.reset_parameters()
        return self.method(student, teacher, mask)
