"""A space-filling curve through any box of one to three dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from segdistill.core import SegDistillError

Size = tuple[int, int, int]
#: The part of a box that one stretch of the curve fills: the corner where it starts, and the parent's signed axis
#: (1, 2, 3 or -1, -2, -3) along each of its own, with the length.
Part = tuple[Size, tuple[tuple[int, int], ...]]


@lru_cache(maxsize=256)
def hilbert_order(shape: tuple[int, ...], device: torch.device | None = None) -> Tensor:
    """Row-major indices of a box's cells in the order of a generalised Hilbert curve.

    Every cell is visited exactly once, and every step goes to a neighbour that shares a face. In boxes whose sides are
    powers of two the curve fills half after half along every axis; other boxes are split as evenly as that allows. It
    starts at cell 0 and ends at the other end of one axis.

    Args:
        shape: Sides of the box, one to three.
        device: Where the indices are wanted; the order is kept for every shape and device.

    Returns:
        `(cells,)`, int64.

    Raises:
        SegDistillError: If there are other than one to three sides, or one is empty.

    Examples:
        >>> hilbert_order((2, 3)).tolist()
        [0, 1, 2, 5, 4, 3]
    """
    if not 1 <= len(shape) <= 3 or min(shape) < 1:
        raise SegDistillError(
            f"A Hilbert curve needs a box of one to three sides of at least 1, got {tuple(shape)}."
        )
    with torch.inference_mode(False):  # kept for later steps, which may need it for a gradient
        sides = (*shape, *(1,) * (3 - len(shape)))
        axes = _main_axis_first(sides)
        visited = _curve((sides[axes[0]], sides[axes[1]], sides[axes[2]]))
        cells = torch.empty_like(visited)
        cells[:, axes] = visited
        strides = torch.tensor([sides[1] * sides[2], sides[2], 1])
        return (cells * strides).sum(dim=1).to(device or "cpu")


def _main_axis_first(sides: Sequence[int]) -> list[int]:
    # On a chessboard's colours: a walk from one end of an axis to the other through all cells exists if the axis has
    # an even length, or all of them an odd one.
    even = [axis for axis in range(3) if sides[axis] % 2 == 0]
    main = max(even or range(3), key=lambda axis: sides[axis])
    return [main, *(axis for axis in range(3) if axis != main)]


@lru_cache(maxsize=4096)
def _curve(size: Size) -> Tensor:
    """Cells `(cells, 3)` of a box in order, from the origin to the far end of the first axis."""
    n, h, d = size
    if h == d == 1:
        return torch.stack([torch.arange(n), *torch.zeros(2, n, dtype=torch.long)], dim=1)
    if 2 * n > 3 * h and 2 * n > 3 * d:
        return _join(_halves(n, h, d))
    if 3 * h > 4 * d:
        return _join(_bow(n, h, d))
    if 3 * d > 4 * h or (h % 2 == 0 and d % 2 == 1):
        return _curve((n, d, h))[:, [0, 2, 1]]
    return _join(_bow(n, h, d) if n % 2 == 1 else _loop(n, h, d))


def _halves(n: int, h: int, d: int) -> list[Part]:
    """One after the other along the main axis."""
    near = _split(n, even=n % 2 == 0)
    return [((0, 0, 0), ((1, near), (2, h), (3, d))), ((near, 0, 0), ((1, n - near), (2, h), (3, d)))]


def _bow(n: int, h: int, d: int) -> list[Part]:
    """Up the second axis, along the main one, and down again."""
    near, low = _split(n), _split(h, even=True)
    return [
        ((0, 0, 0), ((2, low), (1, near), (3, d))),
        ((0, low, 0), ((1, n), (2, h - low), (3, d))),
        ((n - 1, low - 1, 0), ((-2, low), (-1, n - near), (3, d))),
    ]


def _loop(n: int, h: int, d: int) -> list[Part]:
    """Through the corners of a cube-like box, as Hilbert's curve does."""
    near, low, front = _split(n, odd=d % 2 == 1), _split(h, even=True), _split(d)
    return [
        ((0, 0, 0), ((2, low), (1, near), (3, front))),
        ((0, low, 0), ((3, d), (1, near), (2, h - low))),
        ((0, low - 1, d - 1), ((1, n), (-2, low), (-3, d - front))),
        ((n - 1, low, d - 1), ((-3, d), (-1, n - near), (2, h - low))),
        ((n - 1, low - 1, 0), ((-2, low), (-1, n - near), (3, front))),
    ]


def _split(length: int, *, even: bool = False, odd: bool = False) -> int:
    """About half of a length of at least 2, with a parity where the curve needs one; 1 of 2 in any case."""
    half = length // 2
    if length > 2 and ((even and half % 2 == 1) or (odd and half % 2 == 0)):
        half += 1
    return half


def _join(parts: Sequence[Part]) -> Tensor:
    return torch.cat([_place(start, axes) for start, axes in parts])


def _place(start: Size, axes: tuple[tuple[int, int], ...]) -> Tensor:
    a, b, c = (length for _, length in axes)
    turn = torch.zeros(3, 3, dtype=torch.long)
    for own, (axis, _) in enumerate(axes):
        turn[own, abs(axis) - 1] = 1 if axis > 0 else -1
    return _curve((a, b, c)) @ turn + torch.tensor(start)
