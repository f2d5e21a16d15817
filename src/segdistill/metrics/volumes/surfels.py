"""How much surface passes between the eight voxels of a 2x2x2 neighbourhood, for each of its 256 codes.

The code of a neighbourhood has one bit per voxel, the voxel `(z, y, x)` bit `7 - 4z - 2y - x`. The surface is that of
marching cubes (Lorensen and Cline 1987), its corners in the middle of the edges whose ends differ:

- on every face, segments join the corners; where the voxels of a face alternate, the rarer kind is cut off;
- the segments close to polygons of three to six corners;
- a polygon that is not flat is cut into triangles so that its area at cubic voxels is the largest, which keeps its
  flat parts whole.

This gives the areas of the surfels of Nikolov et al., "Deep learning to achieve clinically applicable segmentation of
head and neck anatomy for radiotherapy" (2018).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Point = tuple[int, int, int]  # in half voxels: corners have coordinates 0 and 2, the middle of an edge a 1
Triangle = tuple[Point, Point, Point]

_CORNERS: tuple[Point, ...] = tuple((z, y, x) for z, y, x in product((0, 2), repeat=3))
_ROUND = ((0, 0), (0, 2), (2, 2), (2, 0))  # the corners of a face, one after the other


@lru_cache(maxsize=64)
def surfel_areas(spacing: tuple[float, float, float]) -> NDArray[np.float64]:
    """Area in mm² of the surface in a neighbourhood, `(256,)`, by its code.

    Args:
        spacing: Size of a voxel in millimetres, in the order of the axes.

    Examples:
        >>> surfel_areas((3.0, 1.0, 1.0))[0b11110000].item()  # a plane between two slices
        1.0
    """
    z, y, x = spacing
    normals = _normals() * np.array([y * x, z * x, z * y])
    areas: NDArray[np.float64] = np.sqrt(np.square(normals).sum(axis=2)).sum(axis=1)
    areas.setflags(write=False)
    return areas


@cache
def _normals() -> NDArray[np.float64]:
    """Normals of the triangles of every code, as long as their areas, `(256, triangles, 3)`; zeros fill up."""
    triangles = [list(_triangles(code)) for code in range(256)]
    normals = np.zeros((256, max(map(len, triangles)), 3))
    for code, found in enumerate(triangles):
        for index, triangle in enumerate(found):
            normals[code, index] = (
                np.array(_normal(triangle)) / 8
            )  # half of the product, in half voxels squared
    return normals


def _triangles(code: int) -> Iterator[Triangle]:
    inside = {corner for bit, corner in enumerate(_CORNERS) if code >> (7 - bit) & 1}
    rarer = inside if len(inside) <= 4 else set(_CORNERS) - inside
    for polygon in _polygons(rarer):
        yield from max(_triangulations(polygon), key=_area)


def _polygons(inside: set[Point]) -> Iterator[list[Point]]:
    """Join the segments on the faces: every corner of a polygon ends exactly two of them."""
    joined: dict[Point, list[Point]] = {}
    for a, b in _segments(inside):
        joined.setdefault(a, []).append(b)
        joined.setdefault(b, []).append(a)
    while joined:
        polygon = [min(joined)]
        while step := [
            point for point in joined.pop(polygon[-1]) if point in joined and point not in polygon
        ]:
            polygon.append(step[0])
        yield polygon


def _segments(inside: set[Point]) -> Iterator[tuple[Point, Point]]:
    for axis, side in product(range(3), (0, 2)):
        face = [_on_face(axis, side, *corner) for corner in _ROUND]
        middles = [_middle(a, b) for a, b in zip(face, face[1:] + face[:1], strict=True)]
        cut = [(a in inside) != (b in inside) for a, b in zip(face, face[1:] + face[:1], strict=True)]
        if sum(cut) == 2:
            first, second = (middle for middle, is_cut in zip(middles, cut, strict=True) if is_cut)
            yield first, second
        elif sum(cut) == 4:
            yield from ((middles[k - 1], middles[k]) for k in range(4) if face[k] in inside)


def _on_face(axis: int, side: int, u: int, v: int) -> Point:
    point = [u, v]
    point.insert(axis, side)
    return point[0], point[1], point[2]


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) // 2, (a[1] + b[1]) // 2, (a[2] + b[2]) // 2


def _triangulations(polygon: list[Point]) -> Iterator[tuple[Triangle, ...]]:
    """All ways to cut a polygon into triangles: each chooses the triangle on the side from last to first."""
    if len(polygon) < 3:
        yield ()
        return
    for k in range(1, len(polygon) - 1):
        for left, right in product(_triangulations(polygon[: k + 1]), _triangulations(polygon[k:])):
            yield (*left, *right, (polygon[0], polygon[k], polygon[-1]))


def _area(triangles: tuple[Triangle, ...]) -> float:
    return math.fsum(math.hypot(*_normal(triangle)) for triangle in triangles)


def _normal(triangle: Triangle) -> Point:
    (az, ay, ax), (bz, by, bx), (cz, cy, cx) = triangle
    (uz, uy, ux), (vz, vy, vx) = (bz - az, by - ay, bx - ax), (cz - az, cy - ay, cx - ax)
    return uy * vx - ux * vy, ux * vz - uz * vx, uz * vy - uy * vz
