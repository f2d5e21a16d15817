"""The surface of a mask: as elements between its voxels, or as the voxels at its edge."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.volumes.surfels import surfel_areas

Bits = NDArray[np.bool_]
Spacing = tuple[float, float, float]

#: Neighbours that all have to be inside for a voxel not to lie at the edge: those that share a face, or an edge too.
Neighbours = Literal[6, 18]


class Surface(NamedTuple):
    """Points of a surface.

    Attributes:
        points: `(3, N)`, where they are on the grid.
        weights: `(N,)`, how much of the surface each stands for: mm², or 1 per voxel.
    """

    points: NDArray[np.intp]
    weights: NDArray[np.float64]


def surface_elements(mask: Bits, spacing: Spacing) -> Surface:
    """Surface elements of a mask `(D, H, W)`, one per 2x2x2 neighbourhood that is neither full nor empty.

    Outside the mask is background. The neighbourhood of the voxels `i - 1` and `i` is the point `i`.
    """
    codes = _codes(np.pad(mask, 1).view(np.uint8))
    surface = codes + np.uint8(1) > 1  # 255 wraps to 0: one comparison leaves out both
    return Surface(_points(surface), surfel_areas(spacing)[codes[surface]])


def _codes(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bits of every 2x2x2 neighbourhood: pairs along x, of these pairs along y, of these along z."""
    pairs: NDArray[np.uint8] = mask[:, :, :-1] << np.uint8(1)
    pairs |= mask[:, :, 1:]
    fours: NDArray[np.uint8] = pairs[:, :-1] << np.uint8(2)
    fours |= pairs[:, 1:]
    codes: NDArray[np.uint8] = fours[:-1] << np.uint8(4)
    codes |= fours[1:]
    return codes


def edge_voxels(mask: Bits, neighbours: Neighbours = 6) -> Surface:
    """Voxels of a mask `(D, H, W)` with a neighbour that is not in it, each of weight 1; outside is background."""
    z, y, x = (_eroded(mask, axis) for axis in range(3))
    # Full squares in the three planes are together the 18 neighbours.
    inner = z & y & x if neighbours == 6 else _eroded(x, 1) & _eroded(x, 0) & _eroded(y, 0)
    points = _points(mask & ~inner)
    return Surface(points, np.ones(points.shape[1]))


def _points(mask: Bits) -> NDArray[np.intp]:
    """Where a mask is true, `(3, N)`: numpy's own `nonzero` takes four times as long."""
    return np.stack(np.unravel_index(np.flatnonzero(mask), mask.shape))


def _eroded(mask: Bits, axis: int) -> Bits:
    """Voxels whose two neighbours along an axis are in the mask."""
    inner = mask.copy()
    view, seen = np.moveaxis(inner, axis, 0), np.moveaxis(mask, axis, 0)
    view[1:] &= seen[:-1]
    view[:-1] &= seen[1:]
    view[[0, -1]] = False
    return inner
