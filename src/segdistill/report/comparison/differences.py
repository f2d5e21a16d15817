"""B minus A on one test set in one measure, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.report.bootstrap import draw_means, limits
from segdistill.report.comparison import ranks
from segdistill.report.comparison.measures import Better, better
from segdistill.report.comparison.pairs import Array, Pairs
from segdistill.report.interval import interval

LEVEL = 0.95


class Interval(NamedTuple):
    """Where the true mean difference lies, as far as 95 of 100 such intervals tell."""

    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether all of it lies on one side of zero."""
        return self.low > 0 or self.high < 0


class Case(NamedTuple):
    """One image or case: its scores, means over the seeds."""

    id: str
    a: float
    b: float


@dataclass(frozen=True)
class Difference:
    """A paired difference B - A of one measure on one test set.

    Of a measure that is better nearer zero, everything is about its absolute value.

    Attributes:
        dataset: Name of the test set.
        protocol: Name of the protocol.
        version: Of the protocol.
        measure: Name of the column.
        better: Which way it is better.
        unit: `"images"` or `"cases"`.
        count: How many were compared.
        missing: How many were left out, since A or B has no score there.
        missing_a: In how many of them A has none.
        missing_b: In how many of them B has none.
        a: Mean of A over images and seeds.
        b: Mean of B.
        by_seed: The mean difference for every pair of runs.
        interval: Of the mean difference; for other images and, where there are several, other seeds.
        interval_images: For other images alone, with these trainings, as `p` is.
        p: Of Wilcoxon's test over images, each with its mean over seeds.
        p_seeds: Of the same test over seeds; `None` with one.
        wins_a: On how many A is ahead.
        wins_b: On how many B is ahead.
        losses: Where B loses most against A, worst first.
        lowest: Where B is worst.
    """

    dataset: str
    protocol: str
    version: int
    measure: str
    better: Better
    unit: str
    count: int
    missing: int
    missing_a: int
    missing_b: int
    a: float
    b: float
    by_seed: tuple[float, ...]
    interval: Interval
    interval_images: Interval
    p: float
    p_seeds: float | None
    wins_a: int
    wins_b: int
    losses: tuple[Case, ...]
    lowest: tuple[Case, ...]

    @property
    def difference(self) -> float:
        """B minus A."""
        return self.b - self.a

    @property
    def ties(self) -> int:
        """On how many both are equal."""
        return self.count - self.wins_a - self.wins_b

    @property
    def ahead(self) -> Literal["A", "B"] | None:
        """Who is better as far as the interval tells; `None` where it includes zero."""
        if not self.interval.excludes_zero:
            return None
        return "B" if (self.difference > 0) == (self.better == "higher") else "A"


def differences(pairs: Pairs, *, draws: int = 10_000, cases: int = 4) -> Iterator[Difference]:
    """Compare every measure that has two images or more with scores.

    Args:
        pairs: The scores.
        draws: How often images are drawn anew.
        cases: How many of the worst are named.
    """
    found = [_scored(pairs, measure) for measure in pairs.a]
    # Measures that leave out the same images share their draws, which take most of the time.
    for _, group in groupby(found, key=lambda scores: scores.valid.tobytes()):
        together = [scores for scores in group if scores.valid.sum() > 1]
        if together:
            stacked = np.stack([scores.b - scores.a for scores in together], axis=-1)
            for scores, (both, images) in zip(together, intervals(stacked, draws=draws), strict=True):
                yield _difference(pairs, scores, both, images, cases)


def intervals(values: Array, *, draws: int = 10_000) -> list[tuple[Interval, Interval]]:
    """Find how sure mean differences are: for other seeds and images, and for other images alone.

    Args:
        values: Differences in pairs, `(seeds, images, columns)`.
        draws: How often images are drawn anew.

    Returns:
        Both for every column: the t interval over seeds and images, and the bootstrap over images; where there is one
        seed, the bootstrap twice.
    """
    # What rounding leaves of equal scores would all lie on one side of zero.
    rounded = np.round(values, ranks.DIGITS)
    drawn = over_images(rounded.mean(axis=0), draws=draws)
    both = [interval(column, level=LEVEL) for column in np.moveaxis(rounded, -1, 0)]
    return [(Interval(*wide) if wide else images, images) for wide, images in zip(both, drawn, strict=True)]


def over_images(means: Array, *, draws: int = 10_000) -> list[Interval]:
    """Bootstrap the mean of every column of `(images, columns)`."""
    low, high = limits(draw_means(means, draws=draws), level=LEVEL)
    return [Interval(*ends) for ends in zip(low.tolist(), high.tolist(), strict=True)]


class _Scores(NamedTuple):
    """What is compared of one measure: `(seeds, valid ids)`."""

    measure: str
    valid: NDArray[np.bool_]
    missing: tuple[int, int]
    a: Array
    b: Array


def _scored(pairs: Pairs, measure: str) -> _Scores:
    a, b = pairs.a[measure], pairs.b[measure]
    if better(measure) == "nearer zero":
        a, b = np.abs(a), np.abs(b)
    missing = [int(np.isnan(side).any(axis=0).sum()) for side in (a, b)]
    valid = pairs.compared(measure)
    return _Scores(measure, valid, (missing[0], missing[1]), a[:, valid], b[:, valid])


def _difference(pairs: Pairs, scores: _Scores, both: Interval, images: Interval, cases: int) -> Difference:
    ids = [name for name, is_valid in zip(pairs.ids, scores.valid, strict=True) if is_valid]
    a, b, way = scores.a.mean(axis=0), scores.b.mean(axis=0), better(scores.measure)
    gain = np.round((b - a) * (1 if way == "higher" else -1), ranks.DIGITS)
    goodness = b if way == "higher" else -b
    by_seed = (scores.b - scores.a).mean(axis=1)
    return Difference(
        *(pairs.dataset, pairs.protocol, pairs.version, scores.measure, way, pairs.unit),
        count=len(ids),
        missing=len(pairs.ids) - len(ids),
        missing_a=scores.missing[0],
        missing_b=scores.missing[1],
        a=float(a.mean()),
        b=float(b.mean()),
        by_seed=tuple(by_seed.tolist()),
        interval=both,
        interval_images=images,
        p=ranks.signed_rank(b - a),
        p_seeds=ranks.signed_rank(by_seed) if len(by_seed) > 1 else None,
        wins_a=int((gain < 0).sum()),
        wins_b=int((gain > 0).sum()),
        losses=_worst(ids, a, b, order=gain, count=min(cases, int((gain < 0).sum()))),
        lowest=_worst(ids, a, b, order=goodness, count=cases),
    )


def _worst(ids: Sequence[str], a: Array, b: Array, *, order: Array, count: int) -> tuple[Case, ...]:
    chosen: Any = np.argsort(order, kind="stable")[:count]
    return tuple(Case(ids[i], float(a[i]), float(b[i])) for i in chosen)
