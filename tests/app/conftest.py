"""Predictors that need no network, one for each kind of labels."""

from __future__ import annotations

import numpy as np
import pytest

from predictors import Bright, Layers, Thirds
from segdistill.app import Model


@pytest.fixture
def bright():
    return Model("bright", Bright(), "finds what is bright")


@pytest.fixture
def thirds():
    return Model("thirds", Thirds())


@pytest.fixture
def layers():
    return Model("layers", Layers())


@pytest.fixture
def image():
    """40 x 60 pixels that get brighter from left to right: column `x` has the value `4 x`."""
    return np.repeat(np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))[..., None], 3, axis=2)
