"""How far the points of one surface are from the nearest of another: exact, without a transform of the volume.

Most points of a useful prediction lie on the true surface or a few voxels beside it, where looking around is cheapest.
What is left asks a search tree, or, where that is much for the size of the box around both surfaces, as far off or in
noise, a transform of the planes of that box.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.volumes.lines import nearest_by_lines
from segdistill.metrics.volumes.planes import nearest_by_planes, square_plane
from segdistill.metrics.volumes.surfaces import Spacing

Points = NDArray[np.intp]
Distances = NDArray[np.float64]

_QUERY, _VOXEL = 1.5, 0.01  # microseconds that a query of the tree costs, and a voxel of the planes


def nearest(queries: Points, points: Points, spacing: Spacing, *, within: float = math.inf) -> Distances:
    """Distance in millimetres from every query to the nearest of the points.

    Args:
        queries: `(3, N)` on the grid.
        points: `(3, M)` on the same grid, at least one.
        spacing: Size of a voxel in millimetres, in the order of the axes.
        within: Distances beyond this do not matter: they stay beyond it, but may be too long.

    Returns:
        `(N,)`.
    """
    if not queries.size:
        return np.zeros(0)
    low = np.minimum(queries.min(axis=1), points.min(axis=1))[:, None]
    queries, points = queries - low, points - low
    distances, left = nearest_by_lines(queries, points, spacing, within=within)
    if left.size:
        distances[left] = _search(queries[:, left], points, spacing)
    return distances


def _search(queries: Points, points: Points, spacing: Spacing) -> Distances:
    """The cheaper of the ways that do not mind how far it is."""
    extent = np.maximum(queries.max(axis=1), points.max(axis=1)) + 1
    axis = square_plane(spacing, extent)
    if axis is not None and _VOXEL * float(np.prod(extent)) < _QUERY * queries.shape[1]:
        return nearest_by_planes(queries, points, spacing, axis)
    return nearest_by_tree(queries, points, spacing)


def nearest_by_tree(queries: Points, points: Points, spacing: Spacing) -> Distances:
    """Distance in millimetres from every query `(3, N)` to the nearest of the points `(3, M)`, by a search tree."""
    from scipy.spatial import cKDTree

    sizes = np.array(spacing)[:, None]
    # Neither balanced nor compact: points of a grid are spread well enough, and the tree is built in half the time.
    tree = cKDTree((points * sizes).T, leafsize=24, balanced_tree=False, compact_nodes=False)
    _, index = tree.query((queries * sizes).T)
    # Lengths of whole steps, so that equal steps have equal lengths wherever they are.
    distances: Distances = np.sqrt(np.square((queries - points[:, index]) * sizes).sum(axis=0))
    return distances
