"""The published evaluators, written down from their definitions: one pass over the image per threshold, no shortcut.

Slow on purpose. It says what the fast code of `segdistill.metrics.pranet` has to give, and is what
`benchmarks/metrics.py` compares with.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.ndimage import convolve, distance_transform_edt

EPS = np.finfo(np.float64).eps
CURVES = ("precision", "sensitivity", "specificity", "dice", "f1", "iou", "emeasure")


def python(levels, grey):
    """Everything that the Python evaluator says about one image.

    Args:
        levels: `(H, W)` uint8 map.
        grey: `(H, W)` uint8 ground truth.
    """
    p = levels.astype(np.float64) / 255
    g = (grey.astype(np.float64) / 255 > 0.5).astype(np.float64)
    binary = (np.where(p >= threshold, 1.0, 0.0) for threshold in np.linspace(1, 0, 256))
    return {
        **curves(binary, g),
        "Sm": structure(p, g, ddof=0, split=python_split, mean=np.mean),
        "wFm": weighted_f(p, g, mode="nearest"),
        "mae": np.mean(np.abs(g - p)),
    }


def matlab(levels, grey):
    """Everything that the MATLAB evaluator says about one image; the same arguments."""
    low, high = int(levels.min()), int(levels.max())
    low, span = (low, high - low) if low < high else (0, 255)
    p = (levels.astype(np.float64) - low) / span
    g = (grey > 128).astype(np.float64)
    return {
        **curves(_exact_thresholds(levels.astype(int) - low, span), g),
        "Sm": structure(p, g, ddof=1, split=matlab_split, mean=exact_mean),
        "wFm": weighted_f(p, g, mode="constant"),
        "mae": np.mean(np.abs(g - p)),
    }


def _exact_thresholds(above, span):
    """Compare `above / span` with thresholds 1, 254 / 255, ... as fractions."""
    return (np.where(255 * above >= span * step, 1.0, 0.0) for step in range(255, -1, -1))


def curves(binary, g):
    """Count every thresholded map against the ground truth."""
    rows = [(*overlap(b, g), e_measure(b, g)) for b in binary]
    return dict(zip(CURVES, np.array(rows).T, strict=True))


def overlap(b, g):
    """Precision, sensitivity, specificity, Dice, F1 and IoU of one binary map."""
    both, area, found = np.sum(b * g), np.sum(g), np.sum(b)
    if both == 0:
        return (0.0,) * 6
    missed, wrong = area - both, found - both
    rest = b.size - found - missed
    precision, sensitivity = both / found, both / area
    specificity = rest / (rest + wrong) if rest + wrong else math.nan
    f1 = 2 * precision * sensitivity / (precision + sensitivity)
    return precision, sensitivity, specificity, 2 * both / (area + found), f1, both / (missed + found)


def e_measure(b, g):
    """Enhanced alignment of one binary map (Fan et al. 2018)."""
    if np.sum(g) == 0:
        enhanced = 1 - b
    elif np.sum(1 - g) == 0:
        enhanced = b
    else:
        db, dg = b - np.mean(b), g - np.mean(g)
        aligned = 2 * (dg * db) / (dg**2 + db**2 + EPS)
        enhanced = (aligned + 1) ** 2 / 4
    return np.sum(enhanced) / (g.size - 1 + EPS)


def structure(p, g, *, ddof, split, mean):
    """Structure measure (Fan et al. 2017)."""
    share = np.mean(g)
    if share == 0:
        return 1 - np.mean(p)
    if share == 1:
        return np.mean(p)
    objects = share * _object(p[g == 1], ddof) + (1 - share) * _object((1 - p)[g == 0], ddof)
    regions, (row, col) = 0.0, split(g)
    for ys in (slice(None, row), slice(row, None)):
        for xs in (slice(None, col), slice(col, None)):
            regions += _similarity(p[ys, xs], g[ys, xs], mean) * (g[ys, xs].size / g.size)
    score = 0.5 * objects + 0.5 * regions
    return 0.0 if score < 0 else score


def python_split(g):
    """Rows and columns before the centre of mass, counted from 0 and rounded half to even."""
    rows, cols = np.where(g == 1)
    return int(np.mean(rows).round()), int(np.mean(cols).round())


def matlab_split(g):
    """The same up to and including the centre of mass, counted from 1 and rounded half up."""
    rows, cols = np.where(g == 1)
    return math.floor(np.mean(rows + 1) + 0.5), math.floor(np.mean(cols + 1) + 0.5)


def exact_mean(values):
    """The mean, where a constant is its own.

    Whether a sum of equal values, divided by their number, gives the value back depends on the order of the summation,
    which nobody knows of MATLAB; it decides whether a constant quarter counts 1 or 0.
    """
    return values.flat[0] if np.ptp(values) == 0 else np.mean(values)


def _object(values, ddof):
    mean = np.mean(values)
    deviation = np.std(values, ddof=ddof) if values.size > ddof else 0.0
    return 2 * mean / (mean**2 + 1 + deviation + EPS)


def _similarity(p, g, mean):
    if p.size == 0:
        return math.nan
    x, y, n = mean(p), np.mean(g), p.size
    vx, vy = np.sum((p - x) ** 2 / (n - 1 + EPS)), np.sum((g - y) ** 2 / (n - 1 + EPS))
    covariance = np.sum((p - x) * (g - y) / (n - 1 + EPS))
    a, b = 4 * x * y * covariance, (x**2 + y**2) * (vx + vy)
    if a != 0:
        return a / (b + EPS)
    return 1.0 if b == 0 else 0.0


def weighted_f(p, g, *, mode):
    """Weighted F-measure with beta 1 (Margolin et al. 2014)."""
    if not g.any():
        return math.nan
    error = np.abs(p - g)
    distance, (rows, cols) = distance_transform_edt(1 - g, return_indices=True)
    moved = np.where(g == 1, error, error[rows, cols])
    smooth = convolve(moved, gauss(), mode=mode)
    error = np.where((g == 1) & (smooth < error), smooth, error)
    error = error * np.where(g == 1, 1.0, 2 - np.exp(np.log(0.5) / 5 * distance))
    hit, wrong = np.sum(g) - np.sum(error[g == 1]), np.sum(error[g == 0])
    recall, precision = 1 - np.mean(error[g == 1]), hit / (hit + wrong + EPS)
    return 2 * recall * precision / (recall + precision + EPS)


def gauss():
    """A 7x7 Gaussian with a deviation of 5 pixels, of sum 1."""
    y, x = np.mgrid[-3:4, -3:4]
    weights = np.exp(-(x**2 + y**2) / 50)
    return weights / weights.sum()
