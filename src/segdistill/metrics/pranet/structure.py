"""Structure measure (Fan et al. 2017) from grey-level counts alone."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from segdistill.metrics.pranet.curves import EPS
from segdistill.metrics.pranet.rules import Counts, Rules, Scale

# Counts of levels, their sum and the sum of their squares, in one matrix product; exact, since all are below 2^53.
_POWERS = np.arange(256.0)[:, None] ** np.arange(3)


@dataclass(frozen=True)
class Sums:
    """Whole numbers that say all about the levels of some pixels: their count, sum, and sum of squares."""

    count: int
    first: int
    second: int

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.count + other.count, self.first + other.first, self.second + other.second)


def structure_measure(
    counts: Counts, shape: tuple[int, ...], corner: tuple[int, int], rules: Rules, scale: Scale
) -> float:
    """Compare objects and regions; NaN where a quarter of the image is empty, as the evaluators have it.

    Args:
        counts: `(2, 2, 2, 256)` pixels by quarter, label and level.
        shape: Height and width.
        corner: Rows and columns before the split.
        rules: The evaluator.
        scale: How levels become values.
    """
    quarters = _sums(counts, scale.low)
    background, foreground = (
        functools.reduce(Sums.__add__, (q[label] for q in quarters)) for label in (0, 1)
    )
    size = background.count + foreground.count
    mean = (background.first + foreground.first) / (scale.span * size)
    if not foreground.count:
        return 1 - mean
    if not background.count:
        return mean
    share = foreground.count / size
    objects = share * _object(foreground, scale, rules)
    objects += (1 - share) * _object(background, scale, rules, inverted=True)
    regions = 0.0
    for (height, width), (off, on) in zip(_sizes(shape, corner), quarters, strict=True):
        rounded = not rules.stretches and _rounds(off, on, scale, (height, width, shape[1]))
        regions += (0.0 if rounded else _similarity(off, on, scale)) * (height * width / size)
    score = 0.5 * objects + 0.5 * regions
    return 0.0 if score < 0 else score


def _sums(counts: Counts, low: int) -> list[tuple[Sums, Sums]]:
    """Sums of background and foreground in every quarter, of levels above `low`."""
    powers = (counts.reshape(8, 256)[:, low:] @ _POWERS[: 256 - low]).tolist()
    each = [Sums(*map(int, row)) for row in powers]
    return list(zip(each[::2], each[1::2], strict=True))


def _sizes(shape: tuple[int, ...], corner: tuple[int, int]) -> list[tuple[int, int]]:
    rows, cols = ((split, total - split) for split, total in zip(corner, shape, strict=True))
    return [(height, width) for height in rows for width in cols]


def _object(sums: Sums, scale: Scale, rules: Rules, *, inverted: bool = False) -> float:
    mean = sums.first / (scale.span * sums.count)
    deviation = scale.deviation(sums.count, sums.first, sums.second, sample=rules.sample)
    mean = 1 - mean if inverted else mean
    return 2 * mean / (mean * mean + 1 + deviation + EPS)


def _similarity(off: Sums, on: Sums, scale: Scale) -> float:
    """Structural similarity of one quarter; 1 where map and ground truth are both constant."""
    both, area = off + on, on.count
    n, span = both.count, scale.span
    if not n:
        return math.nan
    x, y, freedom = both.first / (n * span), area / n, n - 1 + EPS
    spread = n * both.second - both.first**2
    vx, vy = spread / (n * span**2) / freedom, area * (n - area) / n / freedom
    covariance = (n * on.first - both.first * area) / (n * span) / freedom
    a, b = 4 * x * y * covariance, (x * x + y * y) * (vx + vy)
    if a != 0:
        return a / (b + EPS)
    return 1.0 if b == 0 else 0.0


def _rounds(off: Sums, on: Sums, scale: Scale, layout: tuple[int, int, int]) -> bool:
    """Whether the Python evaluator takes a constant quarter for one that varies, and calls it 0 instead of 1.

    So it does where numpy's mean of a constant differs from it by rounding.

    Args:
        off: Background.
        on: Foreground.
        scale: How levels become values.
        layout: Height and width of the quarter, and the width of the image.
    """
    both = off + on
    if 0 < on.count < both.count or both.count * both.second != both.first**2 or not both.count:
        return False
    value = both.first // both.count / scale.span
    return value not in (0, 1) and _moves(value, *layout)


@functools.lru_cache(maxsize=64)
def _moves(value: float, height: int, width: int, stride: int) -> bool:
    """Whether the mean of a constant is another number; the order of the summation, hence the layout, decides."""
    return bool(np.full((height, stride), value)[:, :width].mean() != value)
