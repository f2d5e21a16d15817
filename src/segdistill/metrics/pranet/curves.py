"""Scores of a map at all 256 thresholds, from how many pixels have which grey level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.pranet.rules import Counts
from segdistill.metrics.pranet.thresholds import Levels

Curve = NDArray[np.float64]

#: The rows of what `curves` returns.
NAMES = ("precision", "sensitivity", "specificity", "dice", "f1", "iou", "emeasure")
SPECIFICITY = NAMES.index("specificity")
EPS = float(np.finfo(np.float64).eps)


def curves(counts: Counts, lowest: Levels) -> Curve:
    """Score every thresholded map, to the bit as if it had been compared with the ground truth pixel by pixel.

    Where no foreground is hit, everything but the E-measure is 0, specificity included: so the evaluators do it.
    With a ground truth that is full, specificity is NaN.

    Args:
        counts: `(2, 256)` pixels of every level in the background and in the foreground.
        lowest: `(256,)` lowest level that counts at every threshold.

    Returns:
        `(7, 256)` in the order of `NAMES`.
    """
    above = np.cumsum(counts[:, ::-1], axis=1)[:, 255 - lowest].astype(np.float64)
    both, found = above[1], above[0] + above[1]
    background, area = (float(n) for n in counts.sum(axis=1))
    out = np.zeros((len(NAMES), 256))
    hit = both > 0
    np.divide(both, found, out=out[0], where=hit)
    np.divide(both, area, out=out[1], where=hit)
    np.divide(background - above[0], background or np.nan, out=out[2], where=hit)
    np.divide(2 * both, area + found, out=out[3], where=hit)
    np.divide(2 * out[0] * out[1], out[0] + out[1], out=out[4], where=hit)
    np.divide(both, area - both + found, out=out[5], where=hit)
    out[6] = _e_measure(both, found, area, background + area)
    return out


def _e_measure(both: Curve, found: Curve, area: float, size: float) -> Curve:
    """Enhanced alignment (Fan et al. 2018): it takes one value per pair of predicted and true label."""
    if area in (0, size):
        return (size - found if area == 0 else found) / (size - 1 + EPS)
    # What a label, on or off, is above the mean of the map, and the same in the ground truth.
    label = np.stack([1 - found / size, -found / size])
    true = np.array([1 - area / size, -area / size])[:, None, None]
    pixels = np.stack([both, area - both, found - both, size - area - found + both]).reshape(2, 2, -1)
    aligned = 2 * true * label / (true**2 + label**2 + EPS)
    on, off = np.moveaxis(pixels * ((aligned + 1) ** 2 / 4), 1, 0)
    first, second = on + off
    total: Curve = first + second
    return total / (size - 1 + EPS)
