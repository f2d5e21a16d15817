"""The one place that says which arrays count as an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.images.bit_depth import to_bytes

#: An image as the library keeps it: uint8, `(H, W, 3)` RGB; or a mask, `(H, W)` class indices.
Pixels = NDArray[np.uint8]


def rgb(image: NDArray[Any]) -> Pixels:
    """Bring an image to uint8 `(H, W, 3)`.

    Args:
        image: uint8 or uint16; RGB `(H, W, 3)`, RGBA `(H, W, 4)` whose alpha is dropped, or grey `(H, W)` or
            `(H, W, 1)`, which is repeated. 16 bits are taken to span 0 to 65535, see `to_bytes`.

    Raises:
        SegDistillError: If the array is none of these.

    Examples:
        >>> rgb(np.full((1, 1), 65535, np.uint16)).tolist()
        [[[255, 255, 255]]]
    """
    if image.dtype not in (np.uint8, np.uint16):
        raise SegDistillError(
            f"An image must be uint8 or uint16, got {image.dtype}: scale its values to 0..255 and convert it."
        )
    pixels = image[..., None] if image.ndim == 2 else image
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or 0 in pixels.shape:
        raise SegDistillError(
            f"An image must be (H, W, 3) RGB, (H, W, 4) RGBA or (H, W) grey, got shape {image.shape}."
        )
    pixels = np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]
    if pixels.dtype == np.uint16:
        pixels = to_bytes(pixels, place="memory")
    return np.ascontiguousarray(pixels, np.uint8)
