"""Where the two published evaluators differ: everything else is the same computation."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Flavour = Literal["python", "matlab"]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Rules:
    """One evaluator's choices.

    Args:
        above: A grey ground truth is foreground above this level.
        stretches: Every map is stretched to [0, 1] first, which puts its highest level on 1 whatever it was.
        sample: Deviations divide by N - 1, not by N.
        counts_from_one: The centre of mass is counted from 1 and rounded half up, and the image is split behind
            it; otherwise counted from 0, rounded half to even, and split before it.
        repeats_border: Smoothing continues an image with its outermost pixels, not with zeros.
    """

    above: int
    stretches: bool
    sample: bool
    counts_from_one: bool
    repeats_border: bool

    def split(self, total: int, area: int) -> int:
        """Rows (or columns) before the centre of mass.

        Args:
            total: Sum of the row indices of the foreground, counted from 0.
            area: Its pixels.
        """
        if self.counts_from_one:
            return (2 * (total + area) + area) // (2 * area)
        return round(total / area)  # half to even, as numpy rounds

    def scale(self, counts: Counts) -> Scale:
        """How grey levels become values in [0, 1].

        Args:
            counts: `(256,)` pixels of every level.
        """
        if self.stretches:
            used = np.flatnonzero(counts)
            low, high = int(used[0]), int(used[-1])
            if low < high:  # a constant map stays as it is
                return Scale(low, high - low)
        return Scale(0, 255)


@dataclass(frozen=True)
class Scale:
    """Value of a grey level: `(level - low) / span`."""

    low: int
    span: int

    @property
    def values(self) -> NDArray[np.float64]:
        """`(256,)` value of every level."""
        return (np.arange(256) - self.low) / self.span

    def deviation(self, count: int, first: int, second: int, *, sample: bool) -> float:
        """Standard deviation of values.

        Args:
            count: How many there are.
            first: Sum of their levels, above `low`.
            second: Sum of the squares of these.
            sample: Divide by `count - 1`; one value alone deviates by 0.
        """
        freedom = max(count - sample, 1)
        return math.sqrt((count * second - first * first) / (count * freedom)) / self.span


PYTHON = Rules(above=127, stretches=False, sample=False, counts_from_one=False, repeats_border=True)
MATLAB = Rules(above=128, stretches=True, sample=True, counts_from_one=True, repeats_border=False)
RULES: dict[Flavour, Rules] = {"python": PYTHON, "matlab": MATLAB}
