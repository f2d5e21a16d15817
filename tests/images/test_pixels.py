"""Which arrays count as an image."""

from __future__ import annotations

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.images.pixels import rgb


def test_alpha_is_dropped_and_grey_is_repeated():
    colour = np.random.default_rng(0).integers(0, 255, (4, 5, 4), dtype=np.uint8)
    np.testing.assert_array_equal(rgb(colour), colour[..., :3])
    grey = colour[..., 0]
    for shape in (grey, grey[..., None]):
        np.testing.assert_array_equal(rgb(shape), np.stack([grey] * 3, axis=-1))


def test_sixteen_bits_become_the_nearest_of_eight():
    values = np.array([[0, 128, 129, 32768, 65535]], np.uint16)
    with pytest.warns(UserWarning, match="in memory stays below 8192"):
        assert rgb(values // 16).max() == 16
    np.testing.assert_array_equal(rgb(values)[0, :, 0], [0, 0, 1, 128, 255])


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (1, 4, 4, 3), (0, 4, 3)])
def test_another_shape_is_refused(shape):
    with pytest.raises(SegDistillError, match="got shape"):
        rgb(np.zeros(shape, np.uint8))


def test_floats_are_refused_because_their_range_is_unknown():
    with pytest.raises(SegDistillError, match="uint8 or uint16, got float32"):
        rgb(np.zeros((4, 4, 3), np.float32))
