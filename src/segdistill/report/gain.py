"""What distillation changed, image by image, and how sure test images and seeds make us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from segdistill.report.bootstrap import draw_means, limits, redraw_seeds
from segdistill.report.comparison.differences import Interval, intervals
from segdistill.report.comparison.names import seed_of
from segdistill.report.comparison.ranks import DIGITS
from segdistill.report.runs import RunSummary

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Gain:
    """A paired difference of mean scores on one test set.

    Attributes:
        dataset: Name of the test set.
        images: How many images both were scored on.
        seeds: How many trainings of each; the larger number, where they differ.
        before: Mean score of the baseline on them.
        after: Mean score of the distilled student on them.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        better: On how many images the distilled student is ahead.
        worse: On how many it is behind.
    """

    dataset: str
    images: int
    seeds: int
    before: float
    after: float
    low: float
    high: float
    better: int
    worse: int

    @property
    def difference(self) -> float:
        """Distilled minus baseline."""
        return self.after - self.before


def gain(
    baseline: Sequence[RunSummary],
    distilled: Sequence[RunSummary],
    dataset: str,
    *,
    measure: str = "dice",
    draws: int = 10_000,
) -> Gain | None:
    """Compare two networks on the images of a test set that both were scored on.

    The interval is that of `segdistill compare`: a percentile bootstrap over images and, where there are several runs,
    over seeds, in pairs. Runs whose seeds are no pairs are drawn by themselves on either side. With one run each the
    interval says nothing about other seeds; it is too narrow where there are few, and where images of one patient are
    alike. Better and worse is an image by its mean over seeds.

    Args:
        baseline: Runs of the student without distillation.
        distilled: Runs of the distilled student.
        dataset: Name of the test set.
        measure: Which per-image score.
        draws: How often images and seeds are drawn anew.

    Returns:
        The gain, or `None` if fewer than two images were scored by both.
    """
    *sides, paired = _in_pairs(baseline, distilled)
    columns = [[run.scores.get(dataset, {}).get(measure, {}) for run in runs] for runs in sides]
    tables = [table for of_side in columns for table in of_side]
    shared = set.intersection(*map(set, tables)) if all(columns) else set()
    ids = sorted(name for name in shared if not any(np.isnan(table[name]) for table in tables))
    if len(ids) < 2:
        return None
    before, after = (np.array([[table[name] for name in ids] for table in of_side]) for of_side in columns)
    low, high = _interval(before, after, paired=paired, draws=draws)
    x, y = before.mean(axis=0), after.mean(axis=0)
    change = np.round(y - x, DIGITS)
    return Gain(
        *(dataset, len(ids), max(len(before), len(after)), float(x.mean()), float(y.mean()), low, high),
        better=int((change > 0).sum()),
        worse=int((change < 0).sum()),
    )


def _interval(before: Array, after: Array, *, paired: bool, draws: int) -> Interval:
    """Of the mean difference of two tables `(seeds, images)`."""
    if paired:
        return intervals((after - before)[..., None], draws=draws)[0][0]
    sides = [draw_means(scores[..., None], draws=draws) for scores in (before, after)]
    low, high = limits(redraw_seeds(sides[1]) - redraw_seeds(sides[0], seed=2))
    return Interval(float(low[0]), float(high[0]))


def _in_pairs(
    baseline: Sequence[RunSummary], distilled: Sequence[RunSummary]
) -> tuple[Sequence[RunSummary], Sequence[RunSummary], bool]:
    """Both sides in the order of their pairs, and whether they are pairs: of one seed, or, unknown, as they come."""
    seeds = [[seed_of(run.path) for run in runs] for runs in (baseline, distilled)]
    same_number = len(baseline) == len(distilled)
    if any(None in of_side for of_side in seeds):
        return baseline, distilled, same_number
    before, after = (
        [run for _, run in sorted(zip(of_side, runs, strict=True), key=itemgetter(0))]
        for of_side, runs in zip(seeds, (baseline, distilled), strict=True)
    )
    return before, after, same_number and (len(before) == 1 or set(seeds[0]) == set(seeds[1]))
