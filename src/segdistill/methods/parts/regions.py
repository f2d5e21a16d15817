"""Features and the regions that the labels draw: shares, means, and how far a pixel is from its region's mean."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.directions import unit
from segdistill.tasks import Multiclass, Task


def full_regions(task: Task, mask: Tensor) -> Tensor:
    """A mask as `(B, K, *spatial)` shares at its own size, the background being a region too.

    Args:
        task: Tasks of sigmoid channels have no channel for the background: it is put first, with what is left of a
            pixel.
        mask: Labels as the task has them; ignored pixels are in no region.
    """
    found = task.targets(mask)
    if isinstance(task, Multiclass):
        return found
    background = task.valid(mask).float() - found.amax(dim=1, keepdim=True)
    return torch.cat([background, found], dim=1)


@torch.no_grad()
def regions(task: Task, mask: Tensor, size: Sequence[int]) -> Tensor:
    """Share of every region in every cell, `(B, K, *size)`: a region smaller than a cell is not lost.

    See `full_regions`.
    """
    return match_size(full_regions(task, mask), size)


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
