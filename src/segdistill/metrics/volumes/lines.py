"""Short distances to the nearest point: look at the lines of voxels around a place, one after the other.

Two passes over the grid tell every voxel how far along its line the nearest point is. The nearest point of all then
lies on one of the lines that are nearer than the best found so far: few, where surfaces nearly agree, as those of a
useful prediction do.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.volumes.surfaces import Spacing

Points = NDArray[np.intp]
Values = NDArray[np.float64]
Steps = NDArray[np.signedinteger]

_LINES = 128  # how many are looked at: where all of them were, a search is cheaper


def nearest_by_lines(
    queries: Points, points: Points, spacing: Spacing, *, within: float
) -> tuple[Values, NDArray[np.intp]]:
    """Distances in millimetres from queries `(3, N)` to the nearest of the points `(3, M)`, as far as they are short.

    Args:
        queries: Where to measure from; not negative.
        points: Where to measure to; not negative.
        spacing: Size of a voxel in millimetres.
        within: Larger distances need not be right.

    Returns:
        `(N,)` distances, never too short, and the indices of those that are too long or may be, and matter.
    """
    order = np.argsort(spacing, kind="stable")  # along the finest axis a line saves most
    along, height, width = (spacing[axis] for axis in order)
    lines, squares = _lines_around(height, width)
    border = np.array([0, *np.abs(lines).max(axis=1)])[:, None]
    steps = _steps_along(points[order], queries[order], border)
    length: Values = np.square(np.arange(2 * len(steps), dtype=np.float64) * along)
    length[len(steps) :] = np.inf  # a line without a point
    place = np.ravel_multi_index(tuple(queries[order] + border), steps.shape)
    shifts = lines[0] * steps.shape[2] + lines[1]
    matter = int(np.count_nonzero(squares <= within**2))
    looked_at = zip(shifts[:matter].tolist(), squares[:matter].tolist(), strict=True)
    best = _look(place, steps.ravel(), length, looked_at)
    enough = squares[-1] >= within**2
    return np.sqrt(best), np.flatnonzero(best > (np.inf if enough else squares[-1]))


def _look(
    place: NDArray[np.intp], steps: Steps, length: Values, lines: Iterable[tuple[int, float]]
) -> Values:
    """Squared distances: a place is done with when no line is left that is nearer than the best it has found."""
    best, left = np.full(place.size, np.inf), np.arange(place.size)
    found = best.copy()
    for shift, apart in lines:
        undone = found > apart
        if np.count_nonzero(undone) < 0.9 * undone.size:
            best[left] = found
            left, place, found = left[undone], place[undone], found[undone]
        np.minimum(found, length[steps[place + shift]] + apart, out=found)
    best[left] = found
    return best


def _steps_along(points: Points, queries: Points, border: Points) -> Steps:
    """Voxels to the nearest point of the same line, as many as the line has or more if it has none.

    The lines run along the first axis; the border, so much on either side, keeps look-ups on the grid.
    """
    shape = np.maximum(points.max(axis=1), queries.max(axis=1)) + 1 + 2 * border[:, 0]
    size = int(shape[0])
    steps: Steps = np.full(shape, size, dtype=np.int16 if size < 2**14 else np.int32)
    steps[tuple(points + border)] = 0
    for line in (steps, steps[::-1]):
        for before, here in pairwise(line):
            np.minimum(here, before + 1, out=here)
    return steps


@lru_cache(maxsize=64)
def _lines_around(height: float, width: float) -> tuple[Points, Values]:
    """The nearest lines, `(2, n)` steps across, and their squared distances; none is missing before the last."""
    radius = min(np.sqrt(_LINES * height * width), _LINES * min(height, width))
    down, right = (np.arange(-n, n + 1) for n in (int(radius // height), int(radius // width)))
    lines = np.stack([axis.ravel() for axis in np.meshgrid(down, right, indexing="ij")])
    squares = (lines[0] * height) ** 2 + (lines[1] * width) ** 2
    nearest = np.argsort(squares, kind="stable")[: min(_LINES, np.count_nonzero(squares <= radius**2))]
    return lines[:, nearest], squares[nearest]
