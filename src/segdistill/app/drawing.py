"""Masks on images as the user wants to see them, and what is written for download."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segdistill.app.finding import THRESHOLD, Found
from segdistill.core import unknown
from segdistill.viz import Image, contour, error_map, overlay

STYLES = ("Overlay", "Contour", "Both")


@dataclass(frozen=True)
class Look:
    """How masks are drawn.

    Attributes:
        threshold: Of the probability, in [0, 1].
        opacity: Of the filled area; of the line where there is nothing but a line. In [0, 1].
        style: One of `STYLES`.
    """

    threshold: float = THRESHOLD
    opacity: float = 0.35
    style: str = "Both"

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise unknown("style", self.style, STYLES)


def draw(found: Found, look: Look) -> Image:
    """Draw every class on the image, each in its colour.

    Raises:
        SegDistillError: If the opacity is not in [0, 1].
    """
    drawn = found.image
    for color, mask in found.layers(look.threshold):
        if look.style != "Contour":
            drawn = overlay(drawn, mask, color=color, opacity=look.opacity)
        if look.style == "Both":
            drawn = contour(drawn, mask, color=color)
        elif look.style == "Contour":
            drawn = _mixed(drawn, contour(drawn, mask, color=color), look.opacity)
    return drawn


def difference(one: Found, other: Found, threshold: float) -> Image:
    """Show where two networks agree (white), and what only the first (orange) or the second (sky blue) marks.

    Classes count as one: what is marked at all.
    """
    first, second = (anything(found, threshold) for found in (one, other))
    return error_map(first, second, image=one.image)


def agreement(one: Found, other: Found, threshold: float) -> float:
    """Dice of what two networks mark on an image; 1 where neither marks anything."""
    first, second = (anything(found, threshold) for found in (one, other))
    total = int(first.sum()) + int(second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def anything(found: Found, threshold: float) -> Image:
    """A mask `(H, W)` of zeros and ones: whether any class is marked."""
    layers = [mask for _, mask in found.layers(threshold)]
    marked: Image = np.max(layers, axis=0)
    return marked


def _mixed(image: Image, drawn: Image, opacity: float) -> Image:
    mixed: Image = cv2.addWeighted(image, 1 - opacity, drawn, opacity, 0)
    return mixed
