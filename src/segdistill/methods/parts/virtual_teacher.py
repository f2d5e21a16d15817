"""A teacher made from the labels alone."""

from __future__ import annotations

import torch
from torch import Tensor

from segdistill.tasks import Multiclass, Task


def virtual_logits(mask: Tensor, task: Task, confidence: float) -> Tensor:
    """Logits of a teacher that is always right and always equally sure.

    Args:
        mask: Labels as the task has them; between two outcomes, their probabilities are mixed.
        task: What they mean.
        confidence: Probability that it gives to the label; the other outcomes share the rest evenly.

    Returns:
        `(B, C, *spatial)`; ignored pixels hold some finite value.
    """
    targets = task.targets(mask)
    if isinstance(task, Multiclass):
        return _mixed(targets, (1 - confidence) / (task.channels - 1), confidence).log()
    yes, no = (_mixed(shares, 1 - confidence, confidence) for shares in (targets, 1 - targets))
    return yes.log() - no.log()  # logit(yes) would be infinite where yes rounds to one


def _mixed(shares: Tensor, low: float, high: float) -> Tensor:
    return torch.lerp(shares.new_tensor(low), shares.new_tensor(high), shares)
