"""Distances between surfaces: by hand, and as the packages that define them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.metrics.volumes.distances import (
    Between,
    Directed,
    average,
    between,
    largest,
    percentile_of_area,
    percentile_of_points,
    surface_dice,
)
from segdistill.metrics.volumes.surfaces import edge_voxels, surface_elements

from .shapes import SPACING, blob

SPACINGS = [(1.0, 1.0, 1.0), SPACING, (5.0, 0.7, 0.7)]


def gaps(a, b, spacing, kind=surface_elements):
    return between(kind(a, spacing), kind(b, spacing), spacing)


def edges(mask, spacing):
    return edge_voxels(mask)


def way(distances, weights=None):
    weights = weights or [1.0] * len(distances)
    return Directed(np.array(distances, dtype=float), np.array(weights, dtype=float))


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")  # of the package itself
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("shift", [0, 1, 6])
def test_surface_elements_measure_as_surface_distance_does(spacing, shift):
    reference = pytest.importorskip("surface_distance")
    true, predicted = blob(0), blob(1, shift=shift)
    ours, theirs = (
        gaps(predicted, true, spacing),
        reference.compute_surface_distances(true, predicted, spacing),
    )
    for percent in (50, 95, 100):
        expected = reference.compute_robust_hausdorff(theirs, percent)
        assert percentile_of_area(ours, percent) == pytest.approx(expected, rel=1e-12)
    for tolerance in (0.0, 0.9, 2.6):
        expected = reference.compute_surface_dice_at_tolerance(theirs, tolerance)
        assert surface_dice(ours, tolerance) == pytest.approx(expected, rel=1e-12)


@pytest.mark.slow  # MONAI alone takes seconds to import
@pytest.mark.filterwarnings("ignore:monai:FutureWarning")  # it calls itself in a way it has deprecated
@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("shift", [0, 1, 6])
def test_edge_voxels_measure_as_monai_does(spacing, shift):
    torch = pytest.importorskip("torch")
    monai = pytest.importorskip("monai.metrics")
    true, predicted = blob(0), blob(1, shift=shift)
    one, other = (torch.from_numpy(mask)[None, None] for mask in (predicted, true))
    hd = monai.compute_hausdorff_distance(one, other, include_background=True, percentile=95, spacing=spacing)
    ours = gaps(predicted, true, spacing, edges)
    assert percentile_of_points(ours, 95) == pytest.approx(hd.item(), rel=1e-6)
    for voxels, found in ((False, ours), (True, gaps(predicted, true, spacing))):
        nsd = monai.compute_surface_dice(
            one, other, [1.1], include_background=True, spacing=spacing, use_subvoxels=voxels
        )
        assert surface_dice(found, 1.1) == pytest.approx(nsd.item(), rel=1e-5)
    asd = monai.compute_average_surface_distance(
        one, other, include_background=True, symmetric=True, spacing=spacing
    )
    assert average(ours) == pytest.approx(asd.item(), rel=1e-5)


def test_the_two_definitions_of_hd95_differ():
    true, predicted = blob(0), blob(1)
    of_area = percentile_of_area(gaps(predicted, true, SPACING), 95)
    of_points = percentile_of_points(gaps(predicted, true, SPACING, edges), 95)
    assert abs(of_area - of_points) > 0.01


def test_the_larger_direction_counts():
    found = Between(way([0, 0, 4]), way([0, 1, 2]))
    assert largest(found) == percentile_of_area(found, 100) == percentile_of_points(found, 100) == 4
    assert average(found) == pytest.approx(7 / 6)


def test_a_percentile_of_area_weighs_by_area_and_one_of_points_does_not():
    found = Between(way([1, 9], [19, 1]), way([1, 9], [19, 1]))
    assert percentile_of_area(found, 95) == 1
    assert percentile_of_points(found, 95) == pytest.approx(8.6)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(20)))
def test_nineteen_of_twenty_equal_elements_hold_95_percent(order):
    found = way(order, [0.1] * 20)
    assert percentile_of_area(Between(found, found), 95) == 18


def test_surface_dice_takes_in_the_tolerance_itself():
    found = Between(way([0, 2], [1, 3]), way([2, 4], [2, 2]))
    assert surface_dice(found, 2.0) == pytest.approx(6 / 8)
    assert surface_dice(found, 1.9) == pytest.approx(1 / 8)


def test_a_shift_by_a_voxel_is_its_spacing():
    box = np.zeros((8, 8, 8), dtype=bool)
    box[2:6, 2:6, 2:6] = True
    for axis in range(3):
        found = gaps(np.roll(box, 1, axis), box, SPACING, edges)
        assert largest(found) == pytest.approx(SPACING[axis])
