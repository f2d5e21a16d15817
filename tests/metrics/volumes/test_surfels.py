from __future__ import annotations

import itertools

import numpy as np
import pytest

from segdistill.metrics.volumes.surfels import surfel_areas

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.7, 0.8), (0.5, 2.0, 1.3), (5.0, 0.9, 0.9)]


def code(cube: np.ndarray) -> int:
    return int(np.packbits(cube.ravel())[0])


def cube(code: int) -> np.ndarray:
    return np.unpackbits(np.array([code], dtype=np.uint8)).reshape(2, 2, 2)


@pytest.mark.parametrize("spacing", SPACINGS)
def test_all_256_areas_are_those_of_surface_distance(spacing):
    tables = pytest.importorskip("surface_distance.lookup_tables")
    expected = tables.create_table_neighbour_code_to_surface_area(spacing)
    np.testing.assert_allclose(surfel_areas(spacing), expected, rtol=1e-14)


def test_a_full_and_an_empty_neighbourhood_have_no_surface():
    assert surfel_areas((3.0, 1.0, 1.0))[[0, 255]].tolist() == [0, 0]
    assert (surfel_areas((3.0, 1.0, 1.0))[1:255] > 0).all()


def test_a_plane_has_the_area_of_a_face():
    areas = surfel_areas((5.0, 3.0, 2.0))
    across = [np.moveaxis(np.array([[[1, 1], [1, 1]], [[0, 0], [0, 0]]]), 0, axis) for axis in range(3)]
    assert [areas[code(plane)] for plane in across] == [6, 10, 15]


def test_a_corner_is_a_triangle_between_the_middles_of_three_edges():
    half = np.array([1.0, 1.5, 2.0])
    a, b, c = np.diag(half)
    assert surfel_areas((2.0, 3.0, 4.0))[0b10000000] == pytest.approx(
        np.linalg.norm(np.cross(b - a, c - a)) / 2
    )


def test_inside_and_outside_have_the_same_surface():
    areas = surfel_areas((3.0, 0.7, 0.8))
    np.testing.assert_array_equal(areas, areas[::-1])


def test_a_mirrored_or_turned_neighbourhood_has_the_area_of_the_turned_spacing():
    spacing = (3.0, 0.7, 0.8)
    for axes, number in itertools.product(itertools.permutations(range(3)), range(256)):
        turned = cube(number).transpose(axes)[:, ::-1]
        there = surfel_areas(tuple(spacing[axis] for axis in axes))[code(turned)]
        assert there == pytest.approx(surfel_areas(spacing)[number], rel=1e-12)
