"""Volumes for tests: random blobs, and all that a mask can be."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import gaussian_filter

SPACING = (2.5, 0.8, 0.7)


def blob(seed: int, shape=(14, 30, 26), shift=0) -> np.ndarray:
    """A rough ball; `shift` moves it along the last axis."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    grid = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    return np.roll(sum(axis**2 for axis in grid) + 2 * noise < 0.45, shift, axis=2)


def labels(seed: int, classes: int, shape=(12, 20, 18)) -> np.ndarray:
    """Nested blobs: label `k` lies around label `k + 1`."""
    field = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    cuts = np.quantile(field, np.linspace(0.6, 0.95, classes - 1))
    return np.digitize(field, cuts).astype(np.uint8)


def pairs_of_volumes(classes: int):
    """Any two volumes of one shape from 1x1x1, among them empty, full and single voxels."""

    def of(shape):
        volume = arrays.arrays(np.uint8, shape, elements=st.integers(0, classes - 1), fill=st.just(0))
        return st.tuples(volume, volume)

    return arrays.array_shapes(min_dims=3, max_dims=3, max_side=5).flatmap(of)
