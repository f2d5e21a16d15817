"""Boundary IoU: the overlap of what lies within a few pixels of the contours."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Labels = NDArray[Any]
Counts = NDArray[np.int64]


def boundary_width(height: int, width: int, share: float) -> int:
    """How many pixels wide the boundary of a mask is: a share of the image's diagonal, at least 1.

    Examples:
        >>> boundary_width(480, 640, 0.02)
        16
    """
    return max(1, round(share * math.hypot(height, width)))


def boundary(labels: Labels, width: int) -> NDArray[np.bool_]:
    """Find the pixels of all classes' boundaries at once.

    A pixel belongs to the boundary of its class if the square of `2 * width + 1` pixels around it leaves the
    class or the image. That is what eroding the mask of each class `width` times by 3x3 would take away, in
    two passes over the labels instead of some for every class.

    Args:
        labels: `(H, W)` class indices, uint8 or uint16.
        width: How far a boundary reaches into its class, in pixels.
    """
    height, breadth = labels.shape
    if min(height, breadth) <= 2 * width:
        return np.ones(labels.shape, dtype=bool)
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    found = np.ones(labels.shape, dtype=bool)
    inside = slice(width, height - width), slice(width, breadth - width)
    # The border of the image is boundary in any case, so it does not matter how OpenCV continues it.
    found[inside] = (cv2.erode(labels, kernel) != cv2.dilate(labels, kernel))[inside]
    return found


def count_boundaries(
    predicted: Labels, target: Labels, ignored: NDArray[np.bool_], *, classes: int, share: float
) -> Counts:
    """Count the boundary pixels of one image.

    Ignored areas are a class of their own in both masks: their rims are boundaries in both or in neither,
    and their own pixels are not counted.

    Args:
        predicted: `(H, W)` class indices.
        target: `(H, W)` class indices.
        ignored: `(H, W)`, where the target does not count.
        classes: How many there are.
        share: Width of a boundary, as a share of the image's diagonal.

    Returns:
        `(classes, 3)`: boundary pixels in both masks, in the predicted, in the true one.
    """
    kind = np.uint8 if classes < 256 else np.uint16
    p, t = (np.where(ignored, classes, mask).astype(kind) for mask in (predicted, target))
    width = boundary_width(t.shape[0], t.shape[1], share)
    near_p, near_t = (boundary(mask, width) & ~ignored for mask in (p, t))
    both = near_p & near_t & (p == t)
    counted = (_histogram(mask, where, classes) for mask, where in ((t, both), (p, near_p), (t, near_t)))
    return np.stack(list(counted), axis=1)


def _histogram(labels: Labels, where: NDArray[np.bool_], classes: int) -> Counts:
    # OpenCV is several times faster, but counts bytes only, and in float32, which is exact up to 2^24.
    if labels.dtype != np.uint8 or labels.size > 1 << 24:
        return np.bincount(labels[where], minlength=classes).astype(np.int64)
    counts = np.asarray(cv2.calcHist([labels], [0], where.view(np.uint8), [256], [0, 256]))
    return counts.ravel()[:classes].astype(np.int64)
