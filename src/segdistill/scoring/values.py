"""The stored values of a map or mask file, checked but not yet interpreted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.data.decode import read_values

Values = NDArray[Any]

_WORD = 65535  # the largest value of 16 bits


class UnreadableError(SegDistillError):
    """A file that cannot be read at all; the one mistake that scoring may be told to pass over."""


def read_file(path: Path, *, indices: bool = False) -> Values:
    """Read a map or mask: `(H, W)`, or `(H, W, C)` for colour; integers from 0 to 65535, or floats in [0, 1].

    Args:
        path: An image, or a `.npy` array.
        indices: Take the indices of a palette, not its greys.

    Raises:
        UnreadableError: If the file is broken.
        SegDistillError: If it holds values or a shape that no map has.
    """
    if path.suffix.lower() == ".npy":
        values = _array(path)
    else:
        try:
            values = read_values(path, grey_palettes=not indices)
        except SegDistillError as error:
            raise UnreadableError(str(error)) from error
        if not indices and values.ndim == 2 and values.max(initial=0) > 1:
            _refuse_coloured_palette(path)
    _refuse_values(values, path)
    return values.view(np.uint8) if values.dtype == bool else values


def read_scaled(path: Path, scale: int) -> Values:
    """Read a file of a set whose integers count up to `scale`.

    Raises:
        SegDistillError: If it holds more than that, so that 8 and 16 bits are mixed; or as `read_file`.
    """
    values = read_file(path)
    if values.dtype.kind != "f" and values.max() > scale:
        raise SegDistillError(
            f"{str(path)!r} holds {values.max()} among files that go up to {scale}; save all with the same depth."
        )
    if scale == _WORD and values.dtype == np.uint8 and values.any():
        raise SegDistillError(f"{str(path)!r} has 8 bits among files of 16; save all with the same depth.")
    return values


def one_channel(values: Values, path: Path) -> tuple[Values, bool]:
    """Take channel 0, as the evaluators do; tells whether the others differ from it."""
    if values.ndim == 2:
        return values, False
    colours = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    _refuse_alpha_only(values, path)
    return np.ascontiguousarray(values[..., 0]), bool((colours != colours[..., :1]).any())


def full_scale(paths: Iterable[Path]) -> int:
    """What the integers of a set count up to: 1, 255 or 65535.

    Decided for a set as a whole, because a faint 8-bit map and a mask of zeros and ones look alike.
    Mostly one file says it; a set of zeros and ones is read to its end.
    """
    largest = 1
    for path in paths:
        try:
            values = read_file(path)
        except SegDistillError:
            continue  # named when it is its turn to be scored
        if values.dtype.kind == "f":
            continue
        largest = max(largest, int(values.max(initial=0)))
        if largest > (1 if values.dtype == np.uint8 else 255):
            break
    return next(scale for scale in (1, 255, _WORD) if largest <= scale)


def _array(path: Path) -> Values:
    try:
        values: Values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        why = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise UnreadableError(
            f"Cannot read {str(path)!r}: {why}; replace the file or take it out."
        ) from error
    if values.ndim == 3 and 1 in (values.shape[0], values.shape[2]):
        values = values[0] if values.shape[0] == 1 else values[..., 0]
    if values.ndim != 2:
        raise SegDistillError(f"{str(path)!r} holds {values.shape}; a map or mask is (height, width).")
    return values


def _refuse_values(values: Values, path: Path) -> None:
    if not values.size:
        raise SegDistillError(f"{str(path)!r} holds no pixel ({values.shape}); write it again.")
    if values.dtype.kind not in "buif":
        raise SegDistillError(f"{str(path)!r} holds {values.dtype}; save floats in [0, 1], or integers.")
    low, high = values.min(), values.max()  # NaN if there is any
    top = 1 if values.dtype.kind == "f" else _WORD
    if not (low >= 0 and high <= top):
        wrong = low if not low >= 0 else high
        wanted = "probabilities from 0 to 1" if top == 1 else f"integers from 0 to {_WORD}"
        raise SegDistillError(
            f"{str(path)!r} holds {wrong.item()}, where {wanted} belong; "
            "save it after the sigmoid or softmax, or as 8-bit grey."
        )


def _refuse_coloured_palette(path: Path) -> None:
    with Image.open(path) as image:
        if image.mode not in ("P", "PA"):
            return
        colours = np.array(image.getpalette("RGB")).reshape(-1, 3)
    if (colours != colours[:, :1]).any():
        raise SegDistillError(
            f"{str(path)!r} has a palette of colours, so its values are no intensities; save it as grey, "
            "or name the classes with --classes if they are class indices."
        )


def _refuse_alpha_only(values: Values, path: Path) -> None:
    alpha = values[..., 3] if values.shape[2] == 4 else None
    if alpha is not None and np.ptp(alpha) > 0 and np.ptp(values[..., :3]) == 0:
        raise SegDistillError(
            f"{str(path)!r} keeps its shape in the alpha channel, which is not read; save it as grey."
        )
