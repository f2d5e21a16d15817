from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import cdist

from segdistill.metrics.volumes.lines import nearest_by_lines
from segdistill.metrics.volumes.nearest import nearest, nearest_by_tree
from segdistill.metrics.volumes.planes import nearest_by_planes, square_plane

SPACINGS = st.sampled_from(
    [
        (1.0, 1.0, 1.0),
        (5.0, 0.7, 0.7),
        (0.7, 3.0, 0.7),
        (2.5, 0.8, 0.9),
        (0.05, 9.0, 20.0),
        (20.0, 0.05, 0.05),
    ]
)
few = settings(max_examples=25, deadline=None)


def points(most: int):
    shape = st.tuples(st.just(3), st.integers(1, most))
    return shape.flatmap(lambda s: arrays.arrays(np.intp, s, elements=st.integers(0, 40)))


def brute(queries, there, spacing):
    sizes = np.array(spacing)
    return cdist(queries.T * sizes, there.T * sizes).min(axis=1)


@few
@given(queries=points(30), there=points(12), spacing=SPACINGS)
def test_distances_are_those_of_all_pairs(queries, there, spacing):
    np.testing.assert_allclose(
        nearest(queries, there, spacing), brute(queries, there, spacing), rtol=1e-9, atol=1e-9
    )


@few
@given(queries=points(30), there=points(12), spacing=SPACINGS)
def test_every_way_gives_the_same(queries, there, spacing):
    expected = brute(queries, there, spacing)
    found = [nearest_by_tree(queries, there, spacing)]
    axis = square_plane(spacing, np.array([41, 41, 41]))
    if axis is not None:
        found.append(nearest_by_planes(queries, there, spacing, axis))
    for distances in found:
        np.testing.assert_allclose(distances, expected, rtol=1e-9, atol=1e-9)


@few
@given(queries=points(30), there=points(12), spacing=SPACINGS)
def test_looking_around_says_which_distances_are_not_sure(queries, there, spacing):
    expected = brute(queries, there, spacing)
    found, unsure = nearest_by_lines(queries, there, spacing, within=np.inf)
    sure = np.setdiff1d(np.arange(len(found)), unsure)
    np.testing.assert_allclose(found[sure], expected[sure], rtol=1e-9, atol=1e-9)
    assert (found >= expected - 1e-9).all()


@few
@given(queries=points(30), there=points(12), spacing=SPACINGS, within=st.floats(0, 30))
def test_distances_within_a_limit_are_exact_and_no_other_falls_below_it(queries, there, spacing, within):
    found, expected = nearest(queries, there, spacing, within=within), brute(queries, there, spacing)
    near = found <= within
    np.testing.assert_allclose(found[near], expected[near], rtol=1e-9, atol=1e-9)
    assert (expected[~near] > within - 1e-6).all()


@pytest.mark.parametrize("spacing", [(3.0, 0.7, 0.7), (0.7, 3.0, 0.7), (0.7, 0.7, 3.0), (1.0, 1.1, 1.2)])
@pytest.mark.parametrize("density", [0.001, 0.3])
def test_far_and_dense_points_are_searched_right(spacing, density):
    random = np.random.default_rng(0)
    there = np.stack(np.nonzero(random.random((12, 40, 40)) < density))
    queries = random.integers(0, 60, (3, 800))
    np.testing.assert_allclose(nearest(queries, there, spacing), brute(queries, there, spacing), rtol=1e-9)


def test_a_line_may_be_longer_than_a_short_integer_counts():
    there = np.array([[0], [0], [0]])
    queries = np.array([[0, 0], [0, 0], [0, 39_999]])
    assert nearest(queries, there, (1.0, 1.0, 0.5)).tolist() == [0, 19_999.5]


def test_no_query_has_no_distance():
    assert nearest(np.zeros((3, 0), dtype=int), np.zeros((3, 1), dtype=int), (1.0, 1.0, 1.0)).shape == (0,)


def test_only_square_and_small_planes_are_gone_through_one_by_one():
    extent = np.array([10, 500, 500])
    assert square_plane((3.0, 1.0, 1.0), extent) == 0
    assert square_plane((1.0, 3.0, 1.0), extent) == 1
    assert square_plane((1.0, 2.0, 3.0), extent) is None
    assert square_plane((3.0, 1.0, 1.0), 3 * extent) is None
