"""Resize images and masks as arrays."""

from __future__ import annotations

import cv2
import numpy as np

from segdistill.images.pixels import Pixels


def resize_image(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize `(H, W, 3)` to (height, width): averaged when it shrinks, against aliasing, else linear."""
    height, width = size
    if image.shape[:2] == size:
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: Pixels = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=method)
    return resized


def resize_mask(mask: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize `(H, W)` class indices to (height, width), each pixel from the one at its centre."""
    height, width = size
    if mask.shape == size:
        return mask
    # INTER_NEAREST would shift the mask by up to half a pixel against its image.
    exact = cv2.INTER_NEAREST_EXACT
    resized: Pixels = cv2.resize(np.ascontiguousarray(mask), (width, height), interpolation=exact)
    return resized
