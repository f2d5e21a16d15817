"""What a mean over a few seeds and many images may be due to chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

#: The rule, to stand beside the numbers.
RULE = (
    "t interval over seeds and images: two-way analysis of variance, degrees of freedom by Satterthwaite, never "
    "narrower than over images alone"
)


def interval(*tables: Array, level: float = 0.95) -> tuple[float, float] | None:
    r"""Confidence interval of a mean, for other seeds and other images of the same kind.

    A score is the truth plus an effect of its seed, of its image and of both together. In a table of $S$ seeds and
    $I$ images, with the mean squares of an analysis of variance, $M_S$ (seeds), $M_I$ (images) and $M_E$ (the rest),

    $$\bar d \pm t_\nu \sqrt{V_S + V_I}, \qquad V_S = \frac{M_S}{S I}, \quad V_I = \frac{\max(M_I - M_E, 0)}{S I},
    \qquad \nu = \frac{(V_S + V_I)^2}{V_S^2 / (S - 1) + V_I^2 / (I - 1)}$$

    by Satterthwaite's approximation. Where seeds alone differ it is the t interval of the seeds' means; where images
    alone differ, that of the images' means. It is never narrower than the latter: a few seeds may agree by chance, and
    other seeds and other images together leave no less open than other images do.

    It is the random-effects analysis of readers and cases in radiology, with seeds as readers: Hillis, A comparison of
    denominator degrees of freedom methods for multiple observer ROC analysis, Statistics in Medicine 26 (2007). There,
    images are many, and their own degrees of freedom are left out.

    Args:
        tables: `(seeds, images)`. One table of differences where seeds are pairs. Where they are not, the two parts
            that sum up to the difference, `after` and `-before`: their seeds are drawn by themselves, and may differ in
            number; their images are the same.
        level: How often the truth lies within.

    Returns:
        Its ends; `None` where a table has a single seed or image, which cannot say how much the others would differ.
    """
    if any(min(table.shape) < 2 for table in tables):
        return None
    parts = [_Part.of(table) for table in tables]
    images = np.sum([part.images for part in parts], axis=0)
    free = len(images) - 1
    alone = float(images.var(ddof=1)) / len(images)
    beyond_rest = max(alone - sum(part.of_rest for part in parts), 0.0)
    both = [*((part.of_seeds, part.seeds - 1) for part in parts), (beyond_rest, free)]
    reach = max(_reach(both, level), _reach([(alone, free)], level))
    mean = float(images.mean())
    return mean - reach, mean + reach


def _reach(terms: Sequence[tuple[float, int]], level: float) -> float:
    """Half of the interval of a mean whose variance is a sum, from its terms with their degrees of freedom."""
    from scipy.special import stdtrit  # takes a moment to import

    variance = sum(value for value, _ in terms)
    if not variance:
        return 0.0
    freedom = variance**2 / sum(value**2 / free for value, free in terms)
    return float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(variance)


class _Part(NamedTuple):
    """A table of scores.

    Attributes:
        seeds: How many.
        images: Mean of every image.
        of_seeds: What the choice of seeds adds to the variance of the mean, and with it the rest.
        of_rest: What seeds and images together add, beyond either.
    """

    seeds: int
    images: Array
    of_seeds: float
    of_rest: float

    @classmethod
    def of(cls, table: Array) -> _Part:
        """Analyse its variance."""
        by_seed, by_image = table.mean(axis=1), table.mean(axis=0)
        rest = table - by_seed[:, None] - by_image + table.mean()
        free = math.prod(each - 1 for each in table.shape)
        return cls(
            len(table),
            by_image,
            float(by_seed.var(ddof=1)) / len(table),
            float((rest**2).sum()) / free / table.size,
        )
