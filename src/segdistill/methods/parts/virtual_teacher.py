"""A teacher made from the labels alone."""

from __future__ import annotations

import math

from torch import Tensor

from segdistill.tasks import Multiclass, Task


def virtual_logits(mask: Tensor, task: Task, confidence: float) -> Tensor:
    """Logits of a teacher that is always right and always equally sure.

    Args:
        mask: Labels as the task has them.
        task: What they mean.
        confidence: Probability that it gives to the label; the other outcomes share the rest evenly.

    Returns:
        `(B, C, *spatial)`; ignored pixels hold some finite value.
    """
    odds = math.log(confidence / (1 - confidence))
    if isinstance(task, Multiclass):
        return task.targets(mask) * (odds + math.log(task.channels - 1))
    return (2 * task.targets(mask) - 1) * odds
