"""A grey map and a ground truth of one image, checked, and counted by grey level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics.intake import to_array
from segdistill.metrics.maps import Bits, read_map
from segdistill.metrics.pranet.rules import Counts, Rules

Grey = NDArray[np.uint8]

#: `cv2.calcHist` counts in float32, which is exact up to here.
_MOST_PIXELS = 1 << 24


class Box(NamedTuple):
    """Rows and columns `top:bottom`, `left:right`."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, mask: Grey | Bits) -> Box | None:
        """Give the box around what is not 0, if there is anything."""
        left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
        return cls(top, top + height, left, left + width) if width else None

    def grow(self, reach: int, shape: tuple[int, ...]) -> Box:
        """Give the box with a rim, as far as the image goes."""
        return Box(
            max(self.top - reach, 0),
            min(self.bottom + reach, shape[0]),
            max(self.left - reach, 0),
            min(self.right + reach, shape[1]),
        )

    def join(self, other: Box) -> Box:
        """Give the smallest box around both."""
        return Box(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )

    def shift(self, rows: int, cols: int) -> Box:
        """Give the box in the coordinates of a part of the image."""
        return Box(self.top + rows, self.bottom + rows, self.left + cols, self.right + cols)

    @property
    def slices(self) -> tuple[slice, slice]:
        """For an array of the whole image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


@dataclass(frozen=True)
class Pair:
    """One image.

    Attributes:
        levels: `(H, W)` uint8 map.
        mask: `(H, W)` uint8, 1 where there is something to find.
        box: Around the foreground; `None` where there is none.
    """

    levels: Grey
    mask: Grey
    box: Box | None

    def centre(self, rules: Rules) -> tuple[int, int]:
        """Rows and columns before the foreground's centre of mass; the image's middle if there is none."""
        if self.box is None:
            return self.mask.shape[0] // 2, self.mask.shape[1] // 2
        inside = self.mask[self.box.slices]
        rows = cv2.reduce(inside, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
        cols = cv2.reduce(inside, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
        area = int(rows.sum(dtype=np.int64))
        row = int(rows @ np.arange(self.box.top, self.box.bottom))
        col = int(cols @ np.arange(self.box.left, self.box.right))
        return rules.split(row, area), rules.split(col, area)

    def count(self, row: int, col: int) -> Counts:
        """Count pixels by grey level in the four quarters around a corner.

        Returns:
            `(2, 2, 2, 256)`: upper and lower, left and right, background and foreground, level.
        """
        counts = np.zeros((2, 2, 2, 256), dtype=np.int64)
        height, width = self.mask.shape
        for i, (top, bottom) in enumerate(((0, row), (row, height))):
            for j, (left, right) in enumerate(((0, col), (col, width))):
                self._count(Box(top, bottom, left, right), counts[i, j])
        return counts

    def _count(self, quarter: Box, into: Counts) -> None:
        """Count everything, then the foreground within its box: most of a picture is background."""
        into[0] = _histogram(self.levels[quarter.slices])
        if self.box is None:
            return
        box = self.box
        top, bottom = max(quarter.top, box.top), min(quarter.bottom, box.bottom)
        left, right = max(quarter.left, box.left), min(quarter.right, box.right)
        if top < bottom and left < right:
            part = slice(top, bottom), slice(left, right)
            into[1] = _histogram(self.levels[part], self.mask[part])
            into[0] -= into[1]


def _histogram(levels: Grey, mask: Grey | None = None) -> Counts:
    if levels.size > _MOST_PIXELS:
        half = len(levels) // 2
        parts = [slice(None, half), slice(half, None)]
        return sum((_histogram(levels[p], None if mask is None else mask[p]) for p in parts), start=_NONE)
    if not levels.size:
        return _NONE
    # Most maps are mostly 0. Every count of a run waits for the one before, so 0 is left out, and follows.
    counts = np.asarray(cv2.calcHist([levels], [0], levels if mask is None else mask, [256], [0, 256]))
    whole = counts.ravel().astype(np.int64)
    if mask is None:
        whole[0] = levels.size - int(whole.sum())
    return whole


_NONE: Counts = np.zeros(256, dtype=np.int64)


def read_pair(predicted: Any, target: Any, rules: Rules, *, name: str) -> Pair:
    """Check one image.

    Args:
        predicted: `(H, W)` map: uint8 levels, or floats in [0, 1].
        target: `(H, W)` ground truth: uint8 grey levels, or class indices 0 and 1 of any type.
        rules: From which level grey is foreground.
        name: Id of the image, for messages.

    Raises:
        SegDistillError: If sizes differ, or pixels are none of these.
    """
    found, truth = read_map(predicted, name=name), to_array(target)
    if found.shape != truth.shape:
        raise SegDistillError(
            f"The predicted map of {name!r} is {found.shape}, the true mask {truth.shape}; "
            f"bring the logits to the size of the mask before they become a map."
        )
    mask = _foreground(np.ascontiguousarray(truth), rules, name)
    return Pair(_to_levels(np.ascontiguousarray(found)), mask, Box.around(mask))


def _to_levels(array: NDArray[Any]) -> Grey:
    """Round to grey levels, half to even, as image writers do it."""
    return array if array.dtype == np.uint8 else np.rint(array * 255).astype(np.uint8)


def _foreground(truth: NDArray[Any], rules: Rules, name: str) -> Grey:
    """Foreground as zeros and ones, of grey levels or class indices."""
    low, high = truth.min(), truth.max()
    most = 255 if truth.dtype == np.uint8 else 1
    if truth.dtype.kind not in "biu" or low < 0 or high > most:
        raise SegDistillError(
            f"The true mask of {name!r} is {truth.dtype} from {low} to {high}; "
            f"give uint8 grey levels, or class indices 0 and 1."
        )
    if high <= 1:
        return truth.astype(np.uint8)
    if high == 255 and (truth == 1).any() and not ((truth > 1) & (truth < 255)).any():
        raise SegDistillError(
            f"The true mask of {name!r} holds 0, 1 and 255, which looks like class indices with ignored pixels: "
            f"protocols that read maps ignore none, so make them 0 or 1."
        )
    return (truth > rules.above).view(np.uint8)
