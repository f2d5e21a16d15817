"""At which grey level a map counts as foreground, for every one of the 256 thresholds from 1 down to 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.pranet.rules import Rules, Scale

Levels = NDArray[np.intp]

# The Python evaluator compares level / 255 with linspace(1, 0, 256). These thresholds come out a rounding error above
# the level they stand for, so pixels of exactly that level do not count. Stored, so that another numpy cannot move it.
_ABOVE_THEIR_LEVEL = (
    *(4, 20, 36, 37, 52, 53, 68, 69, 84, 85, 100, 101, 116, 117, 130, 131, 132, 138, 139, 146, 147, 148),
    *(154, 155, 162, 163, 164, 170, 171, 178, 179, 180, 186, 187, 193, 194, 195, 196, 201, 202, 203, 209),
    *(210, 211, 212, 217, 218, 219, 224, 225, 226, 227, 228, 232, 233, 234, 235, 240, 241, 242, 243, 244),
    *(248, 249, 250, 251),
)

#: `(256,)`: the lowest level that counts at threshold j.
LOWEST: Levels = np.arange(255, -1, -1, dtype=np.intp)
LOWEST[list(_ABOVE_THEIR_LEVEL)] += 1
LOWEST.flags.writeable = False

#: `(256, 256)`: whether level k counts at threshold j.
TABLE: NDArray[np.bool_] = np.arange(256) >= LOWEST[:, None]
TABLE.flags.writeable = False


def lowest_levels(rules: Rules, scale: Scale) -> Levels:
    """Give the lowest level that counts at every threshold.

    Stretched maps are compared with the thresholds exactly, as fractions. Code that rounds on the way (pysodmetrics
    truncates stretched values to levels) loses a level at some thresholds, which moves the means by up to .001.

    Returns:
        `(256,)` from threshold 1 down to 0.
    """
    if not rules.stretches:
        return LOWEST
    return scale.low - np.arange(255, -1, -1) * scale.span // -255  # rounded up
