"""Masks on images: translucent colours, outlines, and what a prediction got right and wrong."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.viz.colors import (
    FALSE_NEGATIVE,
    FALSE_POSITIVE,
    GREEN,
    SKY,
    TRUE_POSITIVE,
    Color,
    Image,
    colorize,
    rgb_of,
)


def overlay(image: Image, mask: NDArray[np.generic], *, color: Color = SKY, opacity: float = 0.45) -> Image:
    """Lay a translucent colour over what a mask marks.

    Args:
        image: uint8 `(H, W, 3)` or `(H, W)`.
        mask: `(H, W)`; anything but zero is marked.
        color: RGB.
        opacity: 0 leaves the image, 1 covers it.

    Raises:
        SegDistillError: If mask and image differ in size, or the opacity is not in [0, 1].

    Examples:
        >>> overlay(np.zeros((2, 2, 3), np.uint8), np.eye(2), color=(200, 100, 0), opacity=0.5)[0].tolist()
        [[100, 50, 0], [0, 0, 0]]
    """
    base = rgb_of(image)
    _check_shapes(mask, base)
    return _blend(base, np.full_like(base, color), mask != 0, opacity)


def overlay_labels(
    image: Image, mask: NDArray[np.integer], *, opacity: float = 0.5, ignore_index: int = 255
) -> Image:
    """Lay the colours of several classes over an image; the background, class 0, stays clear.

    Args:
        image: uint8 `(H, W, 3)` or `(H, W)`.
        mask: `(H, W)` class indices.
        opacity: 0 leaves the image, 1 covers it.
        ignore_index: Pixels of this label stay clear too.

    Raises:
        SegDistillError: If mask and image differ in size, or the opacity is not in [0, 1].
    """
    base = rgb_of(image)
    _check_shapes(mask, base)
    labelled = (mask != 0) & (mask != ignore_index)
    return _blend(base, colorize(mask, ignore_index=ignore_index), labelled, opacity)


def contour(
    image: Image, mask: NDArray[np.generic], *, color: Color = GREEN, thickness: int | None = None
) -> Image:
    """Draw the outline of what a mask marks, holes included.

    Args:
        image: uint8 `(H, W, 3)` or `(H, W)`.
        mask: `(H, W)`; anything but zero is marked.
        color: RGB.
        thickness: Of the line, in pixels; by default it grows with the image.

    Raises:
        SegDistillError: If mask and image differ in size.
    """
    drawn = rgb_of(image).copy()
    _check_shapes(mask, drawn)
    lines, _ = cv2.findContours((mask != 0).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    width = thickness or max(1, round(min(drawn.shape[:2]) / 180))
    cv2.drawContours(drawn, lines, -1, color, width, cv2.LINE_AA)
    return drawn


def error_map(
    pred: NDArray[np.generic],
    truth: NDArray[np.generic],
    *,
    image: Image | None = None,
    opacity: float = 0.6,
) -> Image:
    """Show where a prediction is right (white), too much (orange) and too little (sky blue).

    Args:
        pred: `(H, W)` prediction; anything but zero is foreground.
        truth: `(H, W)` reference.
        image: Shown below in dim grey, so that the colours stand out; black without it.
        opacity: Of the colours over the image.

    Raises:
        SegDistillError: If the sizes differ, or the opacity is not in [0, 1].

    Examples:
        >>> error_map(np.array([[1, 1, 0]]), np.array([[1, 0, 1]]))[0].tolist()
        [[242, 242, 242], [230, 159, 0], [86, 180, 233]]
    """
    _check_shapes(truth, pred, "truth", "prediction")
    found, wanted = pred != 0, truth != 0
    colors: Image = np.zeros((*found.shape, 3), np.uint8)
    colors[found & wanted] = TRUE_POSITIVE
    colors[found & ~wanted] = FALSE_POSITIVE
    colors[~found & wanted] = FALSE_NEGATIVE
    if image is None:
        return colors
    _check_shapes(pred, image, "prediction")
    return _blend(_dimmed(image), colors, found | wanted, opacity)


def _check_shapes(
    mask: NDArray[np.generic], image: NDArray[np.generic], name: str = "mask", other: str = "image"
) -> None:
    if mask.shape != image.shape[:2]:
        raise SegDistillError(
            f"The {name} of shape {mask.shape} does not fit the {other} of shape {image.shape[:2]}: "
            f"resize one of them first."
        )


def _blend(base: Image, colors: Image, marked: NDArray[np.bool_], opacity: float) -> Image:
    if not 0 <= opacity <= 1:
        raise SegDistillError(f"opacity must be in [0, 1], got {opacity}.")
    drawn = base.copy()
    drawn[marked] = np.rint(base[marked] * (1 - opacity) + colors[marked] * opacity)
    return drawn


def _dimmed(image: Image) -> Image:
    grey = cv2.cvtColor(rgb_of(image), cv2.COLOR_RGB2GRAY)
    return rgb_of((grey * 0.55).astype(np.uint8))
