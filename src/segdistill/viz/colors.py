"""Colours that people with any colour vision tell apart, for classes and for probabilities."""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError

Image: TypeAlias = NDArray[np.uint8]
Color: TypeAlias = tuple[int, int, int]

# Okabe and Ito's palette.
ORANGE: Color = (230, 159, 0)
SKY: Color = (86, 180, 233)
GREEN: Color = (0, 158, 115)
YELLOW: Color = (240, 228, 66)
BLUE: Color = (0, 114, 178)
VERMILLION: Color = (213, 94, 0)
PURPLE: Color = (204, 121, 167)
WHITE: Color = (242, 242, 242)

#: What is right stays neutral and what is wrong has a colour. The three are far apart under protan, deutan
#: and tritan vision, and none of them is the colour of a run in a plot.
TRUE_POSITIVE, FALSE_POSITIVE, FALSE_NEGATIVE = WHITE, ORANGE, SKY


def palette(classes: int) -> Image:
    """Choose a colour for each class: black for 0, then Okabe and Ito's, then hues as far apart as they go.

    Args:
        classes: How many, the background included.

    Returns:
        `(classes, 3)` RGB.
    """
    named = [(0, 0, 0), SKY, ORANGE, GREEN, VERMILLION, BLUE, PURPLE, YELLOW]
    more = max(0, classes - len(named))
    # The golden ratio spreads any number of hues evenly; two levels of brightness part neighbours.
    hue = (np.arange(more) * 0.618034 % 1) * 180
    value = np.where(np.arange(more) % 2, 235, 165)
    hsv = np.stack([hue, np.full(more, 150), value], axis=-1).astype(np.uint8)[None]
    rest = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0] if more else np.empty((0, 3), np.uint8)
    return image_of(np.concatenate([np.array(named, np.uint8), rest])[:classes])


def colorize(mask: NDArray[np.integer], *, ignore_index: int = 255) -> Image:
    """Turn class indices `(H, W)` into colours; pixels of the ignored label become white.

    Examples:
        >>> colorize(np.array([[0, 1, 255]]))[0].tolist()
        [[0, 0, 0], [86, 180, 233], [242, 242, 242]]
    """
    colors = palette(int(mask.max(initial=0)) + 1)[mask]
    colors[mask == ignore_index] = WHITE
    return image_of(colors)


def heatmap(probability: NDArray[np.floating]) -> Image:
    """Colour probabilities with viridis, which stays readable in grey and for any colour vision.

    Args:
        probability: `(H, W)` in [0, 1].

    Raises:
        SegDistillError: If it has another shape, or values outside [0, 1].
    """
    values = np.asarray(probability, np.float32)
    if values.ndim != 2:
        raise SegDistillError(f"A heat map needs probabilities of shape (H, W), got {values.shape}.")
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise SegDistillError(
            f"A heat map needs probabilities in [0, 1], got {values.min():g} to {values.max():g}."
        )
    colored = cv2.applyColorMap(np.rint(values * 255).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
    return image_of(cv2.cvtColor(colored, cv2.COLOR_BGR2RGB))


def rgb_of(image: Image) -> Image:
    """Check an image and give it three channels.

    Raises:
        SegDistillError: If it is not uint8 `(H, W, 3)` or `(H, W)`.
    """
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] != 3):
        raise SegDistillError(
            f"Drawing needs a uint8 image of shape (H, W, 3) or (H, W), got {image.dtype} {image.shape}."
        )
    return image if image.ndim == 3 else image_of(np.repeat(image[..., None], 3, axis=2))


def image_of(array: NDArray[Any]) -> Image:
    """Lay out an array as OpenCV wants it."""
    return np.ascontiguousarray(array, np.uint8)
