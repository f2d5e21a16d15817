"""Images side by side with captions, and rows of them on one sheet."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

from segdistill.core import SegDistillError
from segdistill.viz.colors import Color, Image, image_of, rgb_of

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_PAPER: Color = (255, 255, 255)
_INK: Color = (32, 36, 42)


def panel(
    images: Sequence[Image], titles: Sequence[str] = (), *, height: int | None = None, gap: int = 8
) -> Image:
    """Put images side by side, each below its caption.

    Args:
        images: uint8 `(H, W, 3)` or `(H, W)`, of any sizes; they are brought to one height.
        titles: One caption per image, or none at all; one that is too long is cut.
        height: Of the images, in pixels; the tallest's by default.
        gap: White space around, in pixels.

    Raises:
        SegDistillError: If there is no image, or titles and images differ in number.
    """
    if not images:
        raise SegDistillError("A panel needs at least one image.")
    if titles and len(titles) != len(images):
        raise SegDistillError(f"A panel of {len(images)} images needs as many titles, got {len(titles)}.")
    tall = height or max(image.shape[0] for image in images)
    columns = [_scaled(rgb_of(image), tall) for image in images]
    if titles:
        columns = [_captioned(column, title) for column, title in zip(columns, titles, strict=True)]
    row = np.hstack([_padded(column, gap, gap, gap, 0) for column in columns])
    return _padded(row, 0, 0, 0, gap)


def sheet(rows: Sequence[Image]) -> Image:
    """Stack panels; narrow ones are filled up with white.

    Raises:
        SegDistillError: If there is no row.
    """
    if not rows:
        raise SegDistillError("A sheet needs at least one row.")
    width = max(row.shape[1] for row in rows)
    return np.vstack([_padded(rgb_of(row), 0, 0, 0, width - row.shape[1]) for row in rows])


def _scaled(image: Image, height: int) -> Image:
    if image.shape[0] == height:
        return image
    size = (max(1, round(image.shape[1] * height / image.shape[0])), height)
    shrinks = height < image.shape[0]
    return image_of(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def _padded(image: Image, top: int, bottom: int, left: int, right: int) -> Image:
    return image_of(cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=_PAPER))


def _captioned(image: Image, title: str) -> Image:
    height, width = image.shape[:2]
    scale = min(1.0, max(0.4, height / 520))
    (_, tall), below = cv2.getTextSize("Ag", _FONT, scale, 1)
    strip: Image = np.full((tall + below + round(14 * scale), width, 3), _PAPER, np.uint8)
    text = _shortened(_printable(title), width, scale)
    cv2.putText(strip, text, (0, tall + round(4 * scale)), _FONT, scale, _INK, 1, cv2.LINE_AA)
    return np.vstack([strip, image])


def _shortened(text: str, width: int, scale: float) -> str:
    def fits(candidate: str) -> bool:
        return bool(cv2.getTextSize(candidate, _FONT, scale, 1)[0][0] <= width)

    if fits(text):
        return text
    while text and not fits(text + "..."):
        text = text[:-1]
    return text + "..."


def _printable(text: str) -> str:
    # OpenCV 5 brings a Unicode font; the strokes of OpenCV 4 know ASCII only.
    if hasattr(cv2, "FontFace"):
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
