"""Weighted F-measure (Margolin et al. 2014), computed only where it can differ from nothing."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.maps import Bits
from segdistill.metrics.pranet.curves import EPS
from segdistill.metrics.pranet.pixels import Box, Grey, Pair
from segdistill.metrics.pranet.rules import Counts, Rules, Scale

Values = NDArray[np.float64]

#: A stray pixel at distance d weighs 2 - 2^(-d / 5): from here on that is 2 in float64.
REACH = 265
#: Half the width of the Gaussian, which has a deviation of 5.
_HALF = 3
_GAUSS = np.exp(-(np.arange(-_HALF, _HALF + 1.0) ** 2) / 50)
_GAUSS /= _GAUSS.sum()
#: Pixels of the rim that the Gaussian sees lie at most this far, squared, from the foreground.
_RIM = 2 * _HALF**2
#: Rows and columns that lie no further than that.
_SIGHT = 4
#: Pixels that are looked at together: what they need stays in the cache, and with the allocator.
_BLOCK = 12_000


def weighted_f(pair: Pair, counts: Counts, rules: Rules, scale: Scale) -> float:
    """Weigh every error by where it lies.

    Inside, an error counts less if its surroundings are right; outside, up to twice, the further it is from the
    foreground.

    Args:
        pair: Map and ground truth.
        counts: `(2, 256)` pixels of every level in background and foreground.
        rules: How smoothing treats the border.
        scale: How levels become values.

    Returns:
        The measure with beta 1; NaN without foreground.
    """
    if pair.box is None:
        return float("nan")
    area, values = int(counts[1].sum()), scale.values
    scene = Scene.cut(pair, pair.box, scale)
    inside = scene.inside(abs(1 - values), rules)
    outside = 2 * float(counts[0] @ values) - scene.nearness(values)
    hit, recall = area - inside, 1 - inside / area
    precision = hit / (hit + outside + EPS)
    return 2 * recall * precision / (recall + precision + EPS)


@dataclass(frozen=True)
class Scene:
    """The part of an image that matters: the foreground with its rim, and what was found near it.

    An edge of it is the image's own or further from the foreground than the Gaussian reaches.

    Attributes:
        levels: `(h, w)` map.
        mask: `(h, w)` ground truth.
        stray: `(h, w)` background that the map does not call 0.
        distance: `(h, w)` to the foreground. Its square is a whole number; rounded to that, it is exact.
        box: Around the foreground.
    """

    levels: Grey
    mask: Bits
    stray: Bits
    distance: NDArray[np.float32]
    box: Box

    @classmethod
    def cut(cls, pair: Pair, box: Box, scale: Scale) -> Scene:
        """Cut it out of an image whose foreground lies in `box`."""
        near = box.grow(REACH, pair.mask.shape)
        levels, mask = pair.levels[near.slices], pair.mask[near.slices]
        stray = (levels > scale.low) > mask.view(np.bool_)  # the first, and not the second
        part, found = box.grow(_HALF, pair.mask.shape).shift(-near.top, -near.left), Box.around(stray)
        whole = part.join(found) if found else part
        inside = whole.slices
        distance = cv2.distanceTransform(mask[inside] ^ 1, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        inner = box.shift(-near.top - whole.top, -near.left - whole.left)
        return cls(levels[inside], mask[inside].view(np.bool_), stray[inside], distance, inner)

    def nearness(self, values: Values) -> float:
        """Sum over stray pixels of their value times 2^(-distance / 5).

        Args:
            values: `(256,)` by level.
        """
        step = max(1, _BLOCK // self.mask.shape[1])
        return sum(self._nearness(slice(top, top + step), values) for top in range(0, len(self.mask), step))

    def _nearness(self, rows: slice, values: Values) -> float:
        stray = self.stray[rows]
        squared = np.rint(np.square(self.distance[rows][stray])).astype(np.intp)
        near = _fall().take(squared, mode="clip")
        near *= values.take(self.levels[rows][stray])
        return float(near.sum())  # not a dot product: its last bit would depend on the number of threads

    def inside(self, errors: Values, rules: Rules) -> float:
        """Sum of the errors of the foreground, each smoothed where that makes it smaller.

        Args:
            errors: `(256,)` error of a foreground pixel by level; 0 at the last one in use.
            rules: What lies beyond the border.
        """
        last = np.flatnonzero(errors == 0)[0]
        inner = self.box.slices
        faulty = Box.around((self.levels[inner] < last) & self.mask[inner])
        if not faulty:
            return 0.0
        part = faulty.shift(self.box.top, self.box.left).grow(_HALF, self.mask.shape)
        moved = self._move(errors, part)
        border = cv2.BORDER_REPLICATE if rules.repeats_border else cv2.BORDER_CONSTANT
        smooth = cv2.sepFilter2D(moved, cv2.CV_64F, _GAUSS, _GAUSS, borderType=border)
        return float(np.minimum(moved, smooth, out=smooth)[self.mask[part.slices]].sum())

    def _move(self, errors: Values, part: Box) -> Values:
        """Errors in a part; the rim of the foreground takes over those of the nearest foreground pixels."""
        known = self._known(errors, part)
        moved = np.maximum(known[_SIGHT:-_SIGHT, _SIGHT:-_SIGHT], 0)
        distance, stride = self.distance[part.slices], known.shape[1]
        rim = np.flatnonzero((distance > 0) & (distance < _RIM**0.5 + 0.1))
        rows, cols = np.divmod(rim, distance.shape[1])
        squared = np.rint(np.square(distance[rows, cols])).astype(np.intp)
        steps = _flat_steps(stride)[squared]
        found = known.ravel().take((rows * stride + cols)[:, None] + steps)
        first = np.argmax(found >= 0, axis=1)
        moved.ravel()[rim] = found[np.arange(len(rim)), first]
        return moved

    def _known(self, errors: Values, part: Box) -> Values:
        """Errors of the foreground in and around a part, -1 elsewhere, also beyond the border."""
        wide = part.grow(_SIGHT, self.mask.shape)
        known = np.where(self.mask[wide.slices], cv2.LUT(self.levels[wide.slices], errors), -1)
        top, bottom = part.top - wide.top, wide.bottom - part.bottom
        left, right = part.left - wide.left, wide.right - part.right
        lacking = (_SIGHT - top, _SIGHT - bottom, _SIGHT - left, _SIGHT - right)
        padded = cv2.copyMakeBorder(known, *lacking, cv2.BORDER_CONSTANT, None, -1)
        return np.asarray(padded)


@functools.cache
def _fall() -> Values:
    """2^(-distance / 5) by squared distance, 0 from `REACH` on."""
    fall: Values = np.exp(np.log(0.5) / 5 * np.sqrt(np.arange(REACH**2 + 1)))
    fall[-1] = 0
    return fall


@functools.lru_cache(maxsize=8)
def _flat_steps(stride: int) -> NDArray[np.intp]:
    """The steps in an array whose rows are `stride` long, laid out as one line."""
    return np.asarray(_steps() @ np.array([stride, 1]))


@functools.cache
def _steps() -> NDArray[np.intp]:
    """Steps to all pixels at a squared distance, first the leftmost, of these the uppermost.

    This is the one of several nearest pixels that scipy's distance transform names, and the values of the Python
    evaluator depend on it.

    Returns:
        `(_RIM + 1, 8, 2)` steps in rows and columns from the upper left corner of the sight; the last one repeated.
    """
    around = range(-_SIGHT, _SIGHT + 1)
    steps = []
    for squared in range(_RIM + 1):
        at = [(_SIGHT + y, _SIGHT + x) for x in around for y in around if y * y + x * x == squared] or [
            (0, 0)
        ]
        steps.append(at + at[-1:] * (8 - len(at)))
    return np.array(steps, dtype=np.intp)
