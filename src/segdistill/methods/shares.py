"""Which share of every cell of a feature belongs to each class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segdistill.methods.adapters import match_size
from segdistill.tasks import Multiclass, Task


def class_count(task: Task) -> int:
    """How many classes pixels can have, the background included where the logits have no channel for it."""
    return task.channels if isinstance(task, Multiclass) else task.channels + 1


def class_shares(task: Task, mask: Tensor, size: Sequence[int]) -> Tensor:
    """The part of every cell's area that each class covers, `(B, classes, *size)`; ignored pixels are no class's.

    A label's nearest neighbour would lose what is smaller than a cell.
    """
    targets = task.targets(mask)
    if not isinstance(task, Multiclass):
        background = task.valid(mask).to(targets) - targets.amax(dim=1, keepdim=True)
        targets = torch.cat([background, targets], dim=1)
    return match_size(targets, size)


def valid_shares(task: Task, mask: Tensor, size: Sequence[int]) -> Tensor:
    """The part of every cell's area that is labelled, `(B, 1, *size)`."""
    return match_size(task.valid(mask).float(), size)
