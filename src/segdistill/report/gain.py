"""What distillation changed, image by image, and how sure test images and seeds make us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from segdistill.report.comparison.differences import LEVEL, Interval, intervals, over_images
from segdistill.report.comparison.names import seed_of
from segdistill.report.comparison.ranks import DIGITS
from segdistill.report.interval import interval
from segdistill.report.runs import RunSummary

Array = NDArray[np.floating]


@dataclass(frozen=True)
class Gain:
    """A paired difference of mean scores on one test set.

    Attributes:
        dataset: Name of the test set.
        images: How many images both were scored on.
        seeds: How many trainings of each the interval is over; the smaller number, where they differ.
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

    The interval is that of `segdistill compare`: a t interval over seeds and images where each has several runs, in
    pairs of one seed. Runs whose seeds are no pairs vary by themselves on either side. Where a side has one run, it is
    a percentile bootstrap over images, and says nothing about other seeds. It is too narrow where images of one
    patient are alike. Better and worse is an image by its mean over seeds.

    Args:
        baseline: Runs of the student without distillation.
        distilled: Runs of the distilled student.
        dataset: Name of the test set.
        measure: Which per-image score.
        draws: How often images are drawn anew, where a side has one run.

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
        *(dataset, len(ids), min(len(before), len(after)), float(x.mean()), float(y.mean()), low, high),
        better=int((change > 0).sum()),
        worse=int((change < 0).sum()),
    )


def _interval(before: Array, after: Array, *, paired: bool, draws: int) -> Interval:
    """Of the mean difference of two tables `(seeds, images)`."""
    if paired:
        return intervals((after - before)[..., None], draws=draws)[0][0]
    found = interval(after, -before, level=LEVEL)
    change = after.mean(axis=0) - before.mean(axis=0)
    return Interval(*found) if found else over_images(np.round(change, DIGITS)[:, None], draws=draws)[0]


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
