"""Bring masks and maps to another size, in the ways that protocols name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Height and width in pixels.
Size = tuple[int, int]


def centre_nearest(mask: NDArray[Any], size: Size) -> NDArray[Any]:
    """Take the pixel under each new pixel's centre, as Pillow's `NEAREST` does, to its rounding.

    Examples:
        >>> centre_nearest(np.arange(10)[None], (1, 4)).tolist()
        [[1, 3, 6, 8]]
    """
    return _nearest(mask, size, _centres)


def corner_nearest(mask: NDArray[Any], size: Size) -> NDArray[Any]:
    """Take the pixel under each new pixel's upper left corner, as OpenCV's `INTER_NEAREST` does, to its rounding.

    Examples:
        >>> corner_nearest(np.arange(10)[None], (1, 4)).tolist()
        [[0, 2, 5, 7]]
    """
    return _nearest(mask, size, _corners)


def bilinear(map_: NDArray[np.floating], size: Size) -> NDArray[np.floating]:
    """Resize a map `(H, W)` bilinearly, corners not aligned, without smoothing first."""
    height, width = size
    return np.asarray(cv2.resize(map_, (width, height), interpolation=cv2.INTER_LINEAR))


def short_side(size: Size, length: int) -> Size:
    """The size at which the shorter side has this length; the longer one is rounded down.

    Examples:
        >>> short_side((375, 500), 513)
        (513, 684)
    """
    height, width = size
    if height <= width:
        return length, width * length // height
    return height * length // width, length


def _nearest(
    mask: NDArray[Any], size: Size, index: Callable[[int, int], NDArray[np.integer]]
) -> NDArray[Any]:
    rows, columns = (index(old, new) for old, new in zip(mask.shape, size, strict=True))
    return np.asarray(mask[rows[:, None], columns])


def _centres(old: int, new: int) -> NDArray[np.intp]:
    """Where centres lie: Pillow goes from one to the next, and what rounding leaves adds up."""
    steps = np.full(new, old / new)
    steps[0] *= 0.5
    return np.minimum(np.cumsum(steps).astype(np.intp), old - 1)


def _corners(old: int, new: int) -> NDArray[np.intp]:
    """Where corners lie: OpenCV multiplies by the inverse of the scale, which may round below a whole number."""
    return np.minimum((np.arange(new) * (1 / (new / old))).astype(np.intp), old - 1)
