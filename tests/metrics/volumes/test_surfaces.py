from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from segdistill.metrics.volumes.surfaces import edge_voxels, surface_elements

from .shapes import SPACING, blob

MASKS = arrays.arrays(np.bool_, arrays.array_shapes(min_dims=3, max_dims=3, max_side=6))


@pytest.mark.parametrize(("neighbours", "connectivity"), [(6, 1), (18, 2)])
@settings(max_examples=25, deadline=None)
@given(mask=MASKS)
def test_edge_voxels_are_what_an_erosion_takes_away(neighbours, connectivity, mask):
    structure = ndimage.generate_binary_structure(3, connectivity)
    expected = mask & ~ndimage.binary_erosion(mask, structure)
    surface = edge_voxels(mask, neighbours)
    np.testing.assert_array_equal(surface.points, np.nonzero(expected))
    assert surface.weights.tolist() == [1] * surface.points.shape[1]


def test_a_single_voxel_has_eight_surface_elements():
    surface = surface_elements(np.ones((1, 1, 1), dtype=bool), (1.0, 1.0, 1.0))
    assert surface.points.shape == (3, 8)
    assert surface.weights.sum() == pytest.approx(
        np.sqrt(3)
    )  # the octahedron between the middles of the edges


def test_a_large_box_has_nearly_the_surface_of_a_box():
    z, y, x = 20, 30, 40
    weights = surface_elements(np.ones((z, y, x), dtype=bool), SPACING).weights
    sides = np.array([z, y, x]) * SPACING
    box = 2 * (sides[0] * sides[1] + sides[1] * sides[2] + sides[0] * sides[2])
    assert 0.97 * box < weights.sum() < box  # the edges are cut off


def test_a_mask_at_the_border_is_closed_there():
    inner = np.pad(blob(0), 1)
    for crop in (inner, inner[1:-1, 1:-1, 1:-1]):
        assert surface_elements(crop, SPACING).weights.sum() == pytest.approx(
            surface_elements(inner, SPACING).weights.sum(), rel=1e-12
        )
