"""Channels, palettes and transparency of mask and map files: whether one channel tells all, as a viewer shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segdistill.core import SegDistillError

Values = NDArray[Any]

_HAVE_HEADERS = (".png", ".tif", ".tiff", ".bmp")  # that may hold a palette or transparency


def first_channel(values: Values) -> Values:
    """Channel 0 of `(H, W)` or `(H, W, C)`."""
    return values if values.ndim == 2 else np.ascontiguousarray(values[..., 0])


def brightest(values: Values) -> Values:
    """The brightest channel of `(H, W)` or `(H, W, C)` at every pixel, alpha aside."""
    return values if values.ndim == 2 else np.asarray(values[..., :3].max(axis=2))


def differs(values: Values, half: float | None = None) -> bool:
    """Whether the channels of a file say different things, alpha aside.

    Args:
        values: `(H, W)` or `(H, W, C)`.
        half: Ask only which values lie above this; otherwise every difference counts.
    """
    if values.ndim == 2 or values.shape[2] < 3:
        return False
    said = values[..., :3] if half is None else values[..., :3] > half
    return bool((said != said[..., :1]).any())


def refuse_hidden(values: Values, path: Path) -> None:
    """Refuse a file whose greys are not what a viewer shows, because of a palette or of transparency.

    Args:
        values: What was read.
        path: From where.

    Raises:
        SegDistillError: If its palette has colours, or pixels that are not 0 are transparent.
    """
    if values.ndim == 3:
        _refuse_alpha(values, path)
    elif path.suffix.lower() in _HAVE_HEADERS:
        _refuse_header(path, greys=values.max(initial=0) > 1)


def _refuse_header(path: Path, *, greys: bool) -> None:
    """Zeros and ones, which are no `greys`, mean the same whatever their palette."""
    try:
        with Image.open(path) as image:
            if image.mode in ("P", "PA") and greys:
                _refuse_coloured_palette(image, path)
            if image.mode in ("LA", "La", "PA") or "transparency" in image.info:
                _refuse_alpha(np.asarray(image.convert("RGBA")), path)
    except OSError:
        return  # a TIFF that Pillow does not know has neither


def _refuse_coloured_palette(image: Image.Image, path: Path) -> None:
    colours = np.array(image.getpalette("RGB")).reshape(-1, 3)
    if (colours != colours[:, :1]).any():
        raise SegDistillError(
            f"{str(path)!r} has a palette of colours, so its values are no intensities; save it as grey, "
            "or name the classes if they are class indices."
        )


def _refuse_alpha(values: Values, path: Path) -> None:
    """Refuse transparency that would change what is read: a shape in it, or greys that it dims."""
    if values.shape[2] != 4 or not np.ptp(values[..., 3]):
        return
    colours, alpha = values[..., :3], values[..., 3]
    dimmed = (colours.max(axis=2) > 0) & (alpha < alpha.max())
    if dimmed.any() or not np.ptp(colours):
        raise SegDistillError(
            f"{str(path)!r} keeps its shape, or some of it, in the alpha channel, which is not read; save it as grey."
        )
