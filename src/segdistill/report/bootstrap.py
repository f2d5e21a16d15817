"""How sure a mean over images is: it is computed again on images that are drawn anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_AT_ONCE = 100  # draws: keeps the memory small for sets of any size


def draw_means(values: Array, *, draws: int, seed: int = 0) -> Array:
    """Draw the images with replacement, many times, and average.

    Every column sees the same draws.

    Args:
        values: `(images, columns)`.
        draws: How often.
        seed: Of the draws.

    Returns:
        `(draws, columns)`.
    """
    rng = np.random.default_rng(seed)
    count = len(values)
    means = []
    for start in range(0, draws, _AT_ONCE):
        rows = min(_AT_ONCE, draws - start)
        index = rng.integers(0, count, (rows, count)) + count * np.arange(rows)[:, None]
        times = np.bincount(index.reshape(-1), minlength=rows * count).reshape(rows, count)
        means.append(times @ values / count)
    return np.concatenate(means)


def limits(drawn: Array, *, level: float = 0.95) -> tuple[Array, Array]:
    """Give the range in which `level` of the draws lie, for every column of `(draws, columns)`."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
