"""Looking at pictures, for tests of what is drawn."""

from __future__ import annotations

import numpy as np


def holds(picture, color):
    """Whether a pixel has about this colour."""
    return bool((np.abs(picture.astype(int) - color).max(axis=-1) < 30).any())
