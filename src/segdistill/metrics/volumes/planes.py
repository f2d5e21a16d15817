"""Distances to the nearest point, slice by slice: exact, and a tenth of the time of a transform of the volume.

Where voxels are square in one plane, the squared distance within the plane is a whole number of squared voxels, which
OpenCV's exact transform gives in single precision without loss. What the other axis adds needs only the planes nearer
than the best found so far, and only at the places that are asked for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.volumes.surfaces import Spacing

Points = NDArray[np.intp]
Values = NDArray[np.float64]

_EXACT = 1024  # up to this diagonal single precision tells neighbouring squares apart with a wide margin


def square_plane(spacing: Spacing, extent: Points) -> int | None:
    """Axis whose planes have square voxels and are small enough; `None` if there is none."""
    for axis in range(3):
        u, v = (other for other in range(3) if other != axis)
        if spacing[u] == spacing[v] and np.hypot(extent[u], extent[v]) <= _EXACT:
            return axis
    return None


def nearest_by_planes(queries: Points, points: Points, spacing: Spacing, axis: int) -> Values:
    """Distance in millimetres from every query `(3, N)` to the nearest of the points `(3, M)`.

    Args:
        queries: Where to measure from; not negative.
        points: Where to measure to; not negative.
        spacing: Size of a voxel in millimetres.
        axis: Across the planes of square voxels.
    """
    order = [axis, *(other for other in range(3) if other != axis)]
    (z, y, x), points = queries[order], points[order]
    step, side = spacing[axis], spacing[order[1]]
    squares = _squares(points, np.maximum(points.max(axis=1), queries[order].max(axis=1)) + 1)
    best = squares[z, y, x].astype(np.float64) * side**2
    for apart in range(1, len(squares)):
        left = np.flatnonzero(best > (apart * step) ** 2)
        if not left.size:
            break
        for way in (-apart, apart):
            inside = left[(z[left] + way >= 0) & (z[left] + way < len(squares))]
            across = squares[z[inside] + way, y[inside], x[inside]].astype(np.float64) * side**2
            best[inside] = np.minimum(best[inside], across + (apart * step) ** 2)
    distances: Values = np.sqrt(best)
    return distances


def _squares(points: Points, shape: Points) -> NDArray[np.float32]:
    """Squared distance in voxels to the nearest point of the same plane, infinite in a plane without any."""
    import cv2

    elsewhere = np.ones(shape, dtype=np.uint8)
    elsewhere[tuple(points)] = 0
    squares = np.full(shape, np.inf, dtype=np.float32)
    for plane in np.unique(points[0]):
        distances = cv2.distanceTransform(elsewhere[plane], cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        np.rint(distances * distances, out=squares[plane])
    return squares
