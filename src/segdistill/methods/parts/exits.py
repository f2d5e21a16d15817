"""Early exits of a network: their cross-entropy to labels of any finer size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.methods.parts.adapters import match_size
from segdistill.tasks import Multiclass, Task


def name_exits(method: str, taps: str | Sequence[str]) -> tuple[str, ...]:
    """The student's taps that get an exit.

    Raises:
        SegDistillError: If there are none.
    """
    names = (taps,) if isinstance(taps, str) else tuple(taps)
    if not names:
        raise SegDistillError(f"{method} got no taps. Name at least one level, such as taps='e4'.")
    return names


def cross_entropy(logits: Tensor, mask: Tensor, task: Task) -> Tensor:
    """Cross-entropy of logits that may be coarser than the labels.

    A coarse position speaks for all pixels of its cell: the labels are averaged over it, so small objects count as
    much as they cover. It is the mean over labelled pixels, per image, then over the images; an image without a label
    counts as zero, with a graph.

    Args:
        logits: `(B, C, *spatial)`.
        mask: Labels as the task has them, at the image's size.
        task: What they mean.

    Returns:
        A scalar.
    """
    target, share = soft_labels(mask, task, logits.shape[2:])
    values = -(target * task.log_probs(logits)).sum(dim=1).mean(dim=1)
    return (values.flatten(1).sum(dim=1) / share.flatten(1).sum(dim=1).clamp(min=1e-12)).mean()


def soft_labels(mask: Tensor, task: Task, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Labels averaged over cells.

    Args:
        mask: Labels as the task has them, at the image's size.
        task: What they mean.
        size: Cells per axis.

    Returns:
        The share of every outcome in its cell's pixels, `(B, outcomes, variables, *size)` as `task.log_probs` has
        them, and the share of labelled pixels, `(B, 1, *size)`.
    """
    target, valid = task.targets(mask), task.valid(mask).float()
    share = match_size(valid, size)
    if isinstance(task, Multiclass):
        return match_size(target, size).unsqueeze(2), share
    return torch.stack([match_size(y, size) for y in (valid - target * valid, target * valid)], dim=1), share
