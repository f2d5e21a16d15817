"""Cut a feature map into cells, in one to three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod

from torch import Tensor
from torch.nn import functional as F

_MEANS = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_MAXIMA = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def mean_of_cells(x: Tensor, size: int) -> Tensor:
    """Mean over cells of `size` positions along each side; those at the far border may be smaller."""
    if size == 1:
        return x
    return _MEANS[x.ndim - 2](x, tuple(min(size, n) for n in x.shape[2:]), ceil_mode=True)


def max_of_cells(x: Tensor, size: Sequence[int]) -> Tensor:
    """Maximum over cells of a size; those at the far border may be smaller."""
    return _MAXIMA[x.ndim - 2](x, tuple(map(min, size, x.shape[2:])), ceil_mode=True)


def split(x: Tensor, size: Sequence[int]) -> Tensor:
    """`(B, C, *spatial)` as `(B, cells, C, positions)`; zeros fill up the cells at the far border."""
    counts = [ceil(have / cell) for have, cell in zip(x.shape[2:], size, strict=True)]
    margins = [count * cell - have for count, cell, have in zip(counts, size, x.shape[2:], strict=True)]
    if any(margins):
        x = F.pad(x, [n for margin in reversed(margins) for n in (0, margin)])
    x = x.reshape(*x.shape[:2], *(n for pair in zip(counts, size, strict=True) for n in pair))
    which, where = range(2, x.ndim, 2), range(3, x.ndim, 2)
    return x.permute(0, *which, 1, *where).reshape(len(x), prod(counts), x.shape[1], prod(size))
