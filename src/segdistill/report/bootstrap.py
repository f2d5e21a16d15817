"""How sure a mean is: it is computed again on images, and on seeds, that are drawn anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_AT_ONCE = 100  # draws: keeps the memory small for sets of any size


def draw_means(values: Array, *, draws: int, seed: int = 0) -> Array:
    """Draw the images with replacement, many times, and average.

    Every column and every seed sees the same draws, so what is paired stays paired.

    Args:
        values: `(seeds, images, columns)`.
        draws: How often.
        seed: Of the draws.

    Returns:
        `(draws, seeds, columns)`.
    """
    rng = np.random.default_rng(seed)
    count = values.shape[1]
    means = []
    for start in range(0, draws, _AT_ONCE):
        rows = min(_AT_ONCE, draws - start)
        index = rng.integers(0, count, (rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(index.reshape(-1), minlength=rows * count).reshape(rows, count)
        means.append(np.einsum("dn,snc->dsc", times.astype(float), values, optimize=True) / count)
    return np.concatenate(means)


def redraw_seeds(means: Array, *, seed: int = 1) -> Array:
    """Draw the seeds with replacement, too, independently of the images, and average over them.

    Seeds and images are crossed: each network predicts every image. So both are drawn by themselves and not one
    within the other (Owen 2007, "The pigeonhole bootstrap", doi:10.1214/07-AOAS122); the result is a little wider
    than exact where single predictions scatter by themselves, and too narrow where there are few seeds.

    Args:
        means: `(draws, seeds, columns)`, of `draw_means`.
        seed: Of the draws.

    Returns:
        `(draws, columns)`.
    """
    draws, seeds, _ = means.shape
    index = np.random.default_rng(seed).integers(0, seeds, (draws, seeds, 1))
    drawn: Array = np.take_along_axis(means, index, axis=1).mean(axis=1)
    return drawn


def limits(drawn: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Give the range in which `level` of the draws lie, for every column of `(draws, columns)`."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
