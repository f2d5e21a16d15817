"""How far the points of one surface are from the nearest of another: exact, without a transform of the volume.

Most points of a useful prediction lie on the true surface or a voxel or two beside it. So the nearest offsets are
looked up one distance after the other, and only what is left asks a search tree; where many points are left for the
size of the box around both surfaces, as far off or in noise, a transform of that box is cheaper.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.volumes.planes import nearest_by_planes, square_plane
from segdistill.metrics.volumes.surfaces import Spacing

Points = NDArray[np.intp]
Distances = NDArray[np.float64]

_OFFSETS = 128  # about where a look-up of all of them costs as much as the tree
_QUERY, _VOXEL, _VOXEL_IN_PLANE = 1.0, 0.1, 0.01  # microseconds, by benchmarks/metrics_volumes.py


def nearest(queries: Points, points: Points, spacing: Spacing, *, within: float = math.inf) -> Distances:
    """Distance in millimetres from every query to the nearest of the points.

    Args:
        queries: `(3, N)` on the grid.
        points: `(3, M)` on the same grid, at least one.
        spacing: Size of a voxel in millimetres, in the order of the axes.
        within: Distances beyond this do not matter and may be given as infinite.

    Returns:
        `(N,)`.
    """
    distances = np.full(queries.shape[1], np.inf)
    if not distances.size:
        return distances
    left = _look_around(queries, points, spacing, distances, within)
    if left.size and _shells(spacing)[-1][0] < within:
        distances[left] = _search(queries[:, left], points, spacing)
    return distances


def _search(queries: Points, points: Points, spacing: Spacing) -> Distances:
    """The cheapest exact way by what each costs: a query of the tree, or a voxel of the box around both surfaces."""
    low, high = _box(queries, points)
    axis = square_plane(spacing, high - low)
    voxel, queried = _VOXEL if axis is None else _VOXEL_IN_PLANE, _QUERY * queries.shape[1]
    if queried < voxel * float(np.prod(high - low)):
        return _by_tree(queries, points, spacing)
    queries, points = queries - low[:, None], points - low[:, None]
    if axis is None:
        return _by_transform(queries, points, spacing)
    return nearest_by_planes(queries, points, spacing, axis)


def _look_around(
    queries: Points, points: Points, spacing: Spacing, distances: Distances, within: float
) -> NDArray[np.intp]:
    """Fill in the distances that are short; give the indices of the other queries."""
    shells = _shells(spacing)
    reach = np.max([np.abs(offsets).max(axis=1) for _, offsets in shells], axis=0)
    low, high = _box(queries, points)
    shape = high - low + 2 * reach  # wide enough that no look-up leaves the grid
    strides = np.array([shape[1] * shape[2], shape[2], 1])
    there = np.zeros(int(np.prod(shape)), dtype=np.bool_)
    there[strides @ (points - (low - reach)[:, None])] = True
    here, left = strides @ (queries - (low - reach)[:, None]), np.arange(queries.shape[1])
    for distance, offsets in shells:
        found = _any(there, here, strides @ offsets)
        distances[left[found]] = distance
        here, left = here[~found], left[~found]
        if not left.size or distance >= within:
            break
    return left


def _any(there: NDArray[np.bool_], here: NDArray[np.intp], steps: NDArray[np.intp]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = there[here + steps[0]]
    for step in steps[1:]:
        found |= there[here + step]
    return found


@lru_cache(maxsize=64)
def _shells(spacing: Spacing) -> tuple[tuple[float, Points], ...]:
    """The nearest offsets, `(3, n)` for each of their distances; none is missing below the last."""
    sizes = np.array(spacing)
    radius = min(np.cbrt(_OFFSETS * sizes.prod()), _OFFSETS * sizes.min())
    ranges = [np.arange(-reach, reach + 1) for reach in (radius // sizes).astype(int)]
    offsets = np.stack([axis.ravel() for axis in np.meshgrid(*ranges, indexing="ij")])
    distances = _lengths(offsets, spacing)
    complete = np.sort(distances[distances <= radius])[:_OFFSETS]
    return tuple((float(distance), offsets[:, distances == distance]) for distance in np.unique(complete))


def _by_tree(queries: Points, points: Points, spacing: Spacing) -> Distances:
    from scipy.spatial import cKDTree

    sizes = np.array(spacing)
    # Neither balanced nor compact: points of a grid are spread well enough, and the tree is built in half the time.
    tree = cKDTree(points.T * sizes, leafsize=24, balanced_tree=False, compact_nodes=False)
    _, index = tree.query(queries.T * sizes)
    return _lengths(queries - points[:, index], spacing)


def _by_transform(queries: Points, points: Points, spacing: Spacing) -> Distances:
    from scipy.ndimage import distance_transform_edt

    elsewhere = np.ones(_box(queries, points)[1], dtype=np.bool_)
    elsewhere[tuple(points)] = False
    distances: Distances = distance_transform_edt(elsewhere, sampling=spacing)[tuple(queries)]
    return distances


def _box(queries: Points, points: Points) -> tuple[Points, Points]:
    low = np.minimum(queries.min(axis=1), points.min(axis=1))
    return low, np.maximum(queries.max(axis=1), points.max(axis=1)) + 1


def _lengths(offsets: Points, spacing: Spacing) -> Distances:
    """Lengths of whole steps on the grid, so that equal steps have equal lengths wherever they are."""
    z, y, x = offsets * np.array(spacing)[:, None]
    lengths: Distances = np.sqrt(z * z + y * y + x * x)
    return lengths
