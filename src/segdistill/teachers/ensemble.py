"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import torch

from segdistill.core import Batch, Output, SegDistillError
from segdistill.tasks import Task
from segdistill.teachers.live import Teacher


class Ensemble:
    """Several teachers as one: the weighted mean of their probabilities; features come from the first.

    Args:
        teachers: What to average.
        task: Says what probabilities are.
        weights: One per teacher; equal if not given.

    Raises:
        SegDistillError: If there is no teacher, or the weights do not fit.
    """

    def __init__(self, *teachers: Teacher, task: Task, weights: Sequence[float] | None = None) -> None:
        if not teachers:
            raise SegDistillError("An ensemble needs at least one teacher.")
        weights = list(weights) if weights is not None else [1.0] * len(teachers)
        if len(weights) != len(teachers) or min(weights) < 0 or sum(weights) <= 0:
            raise SegDistillError(
                f"{len(teachers)} teachers need as many weights of at least 0, got {weights}."
            )
        self.teachers, self.task = teachers, task
        self.weights = [w / sum(weights) for w in weights]

    def tap(self, names: Iterable[str]) -> None:
        """Ask the first teacher for features by name."""
        self.teachers[0].tap(names)

    def to(self, device: torch.device) -> Self:
        """Move all networks to a device."""
        for teacher in self.teachers:
            teacher.to(device)
        return self

    def fingerprint(self) -> str:
        """Hash of the weights of all teachers."""
        return "+".join(teacher.fingerprint() for teacher in self.teachers)

    def __call__(self, batch: Batch) -> Output:
        """Logits whose probabilities are the mean of the teachers'.

        Raises:
            SegDistillError: If a teacher has other classes than the task.
        """
        outputs = [teacher(batch) for teacher in self.teachers]
        self._check_classes(outputs)
        with torch.no_grad():
            terms = [
                self.task.log_probs(o.logits.float()) + _log(w)
                for o, w in zip(outputs, self.weights, strict=True)
            ]
            mean = torch.stack(terms).logsumexp(dim=0)
            return Output(self.task.logits(mean), outputs[0].features)

    def _check_classes(self, outputs: Sequence[Output]) -> None:
        for number, output in enumerate(outputs, 1):
            if (found := output.logits.shape[1]) != self.task.channels:
                raise SegDistillError(
                    f"Teacher {number} of the ensemble gives {found} logit channels, but {type(self.task).__name__} "
                    f"over {list(self.task.classes)} needs {self.task.channels}. Leave it out, or change the task."
                )


def _log(weight: float) -> torch.Tensor:
    return torch.tensor(weight).log()
