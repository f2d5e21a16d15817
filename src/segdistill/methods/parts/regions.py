"""Features and the regions that the labels draw: shares, means, and how far a pixel is from its region's mean."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.directions import unit
from segdistill.tasks import Multiclass, Task


def full_regions(name: str, task: Task, mask: Tensor | None) -> Tensor:
    """A mask as `(B, K, *spatial)` zeros and ones at its own size, the background being a region too.

    Args:
        name: The method that asks, for messages.
        task: Tasks of sigmoid channels have no channel for the background: it is put first.
        mask: Labels as the task has them; ignored pixels are in no region.

    Raises:
        SegDistillError: If there are no labels.
    """
    if mask is None:
        raise SegDistillError(
            f"{name} compares the regions of the labels, but got no mask. Take AT, which needs none."
        )
    found = task.targets(mask)
    if isinstance(task, Multiclass):
        return found
    background = task.valid(mask) & (found.amax(dim=1, keepdim=True) == 0)
    return torch.cat([background.float(), found], dim=1)


@torch.no_grad()
def regions(name: str, task: Task, mask: Tensor | None, size: Sequence[int]) -> Tensor:
    """Share of every region in every cell, `(B, K, *size)`: a region smaller than a cell is not lost.

    See `full_regions`.
    """
    return match_size(full_regions(name, task, mask), size)


def region_count(task: Task) -> int:
    """How many regions a mask draws, the background included."""
    return task.channels if isinstance(task, Multiclass) else task.channels + 1


def labelled_share(task: Task, mask: Tensor, size: Sequence[int]) -> Tensor:
    """The part of every cell's area that is labelled, `(B, 1, *size)`."""
    return match_size(task.valid(mask).float(), size)


def region_means(feature: Tensor, shares: Tensor) -> Tensor:
    """Mean feature of every region, `(B, K, C)`; zero for a region that the image does not have."""
    shares = shares.flatten(2)
    sums = shares @ feature.flatten(2).transpose(1, 2)
    mass = shares.sum(dim=2, keepdim=True)
    return sums / mass.where(mass > 0, 1)


def region_directions(feature: Tensor, shares: Tensor) -> Tensor:
    """Mean feature of every region at unit length, `(B, K, C)`."""
    return unit(region_means(feature, shares), dim=2)


def region_cosines(feature: Tensor, shares: Tensor) -> Tensor:
    """Cosine between every position's feature and every region's mean, `(B, K, positions)`."""
    return region_directions(feature, shares) @ unit(feature.flatten(2))
