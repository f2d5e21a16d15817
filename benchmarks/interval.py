"""What a gain over a few seeds and many images may be due to chance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats


def interval(differences: NDArray[np.floating], *, level: float = 0.95) -> tuple[float, float] | None:
    r"""Confidence interval of the mean of paired differences, for other seeds and other images of the same kind.

    A difference is the truth plus an effect of its seed, of its image and of both together. With the mean squares of
    an analysis of variance in $S$ seeds and $I$ images, $M_S$ (seeds), $M_I$ (images) and $M_E$ (what is left),

    $$\bar d \pm t_{\nu} \sqrt{V / (S I)}, \qquad V = M_S + \max(M_I - M_E, 0), \qquad \nu = (S - 1) \, V^2 / M_S^2$$

    by Satterthwaite's approximation, in which only the seeds' few degrees of freedom count. Where seeds alone differ
    it is the t interval of the seeds' means; where images alone differ, the usual one of the images' means. It is
    the random-effects analysis of readers and cases in radiology, with seeds as readers: Hillis, A comparison of
    denominator degrees of freedom methods for multiple observer ROC analysis, Statistics in Medicine 26 (2007).

    Args:
        differences: `(seeds, images)`.
        level: How often the truth lies within.

    Returns:
        Its ends; `None` for a single seed or image, which cannot say how much the others would differ.
    """
    seeds, images = differences.shape
    if min(seeds, images) < 2:
        return None
    mean = float(differences.mean())
    of_seeds, of_images = differences.mean(axis=1), differences.mean(axis=0)
    rest = differences - of_seeds[:, None] - of_images + mean
    between_seeds = images * of_seeds.var(ddof=1)
    beyond_rest = seeds * of_images.var(ddof=1) - (rest**2).sum() / ((seeds - 1) * (images - 1))
    variance = between_seeds + max(beyond_rest, 0.0)
    freedom = (seeds - 1) * (variance / between_seeds) ** 2 if between_seeds > 0 else math.inf
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * math.sqrt(variance / (seeds * images))
    return mean - reach, mean + reach
