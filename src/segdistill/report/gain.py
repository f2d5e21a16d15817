"""What distillation changed, image by image, and how sure the test images make us."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segdistill.report.bootstrap import draw_means, limits
from segdistill.report.runs import RunSummary


@dataclass(frozen=True)
class Gain:
    """A paired difference of mean scores on one test set.

    Attributes:
        dataset: Name of the test set.
        images: How many images both were scored on.
        before: Mean score of the baseline on them.
        after: Mean score of the distilled student on them.
        low: Lower end of the 95 % interval of the difference.
        high: Upper end.
        better: On how many images the distilled student is ahead.
        worse: On how many it is behind.
    """

    dataset: str
    images: int
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

    Several runs of one network (seeds) are averaged per image first. The interval comes from a percentile
    bootstrap over images, so it says how much the choice of test images matters; it says nothing about
    other seeds, and it is too narrow where images of one patient are alike.

    Args:
        baseline: Runs of the student without distillation.
        distilled: Runs of the distilled student.
        dataset: Name of the test set.
        measure: Which per-image score.
        draws: How often the images are drawn anew.

    Returns:
        The gain, or `None` if fewer than two images were scored by both.
    """
    before, after = _mean_scores(baseline, dataset, measure), _mean_scores(distilled, dataset, measure)
    ids = sorted(before.keys() & after.keys())
    if len(ids) < 2:
        return None
    x, y = np.array([before[i] for i in ids]), np.array([after[i] for i in ids])
    low, high = interval(y - x, draws=draws)
    better, worse = int((y > x).sum()), int((y < x).sum())
    return Gain(dataset, len(ids), float(x.mean()), float(y.mean()), low, high, better, worse)


def interval(
    differences: NDArray[np.floating], *, draws: int = 10_000, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Bootstrap the mean: the range in which it lies for `level` of the draws with replacement.

    Examples:
        >>> interval(np.full(10, 0.5))
        (0.5, 0.5)
    """
    low, high = limits(draw_means(differences[None, :, None], draws=draws, seed=seed)[:, 0], level=level)
    return float(low[0]), float(high[0])


def _mean_scores(runs: Sequence[RunSummary], dataset: str, measure: str) -> dict[str, float]:
    tables = [run.scores.get(dataset, {}).get(measure, {}) for run in runs]
    shared = set.intersection(*(set(table) for table in tables)) if tables else set()
    means = {name: sum(table[name] for table in tables) / len(tables) for name in shared}
    return {name: value for name, value in means.items() if not math.isnan(value)}
