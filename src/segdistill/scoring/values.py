"""The stored values of a map or mask file, checked but not yet interpreted."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from segdistill.core import SegDistillError, first_line
from segdistill.data.channels import Values, refuse_hidden
from segdistill.images.decode import read_values

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
        if not indices:
            refuse_hidden(values, path)
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


def unit(values: Values, scale: int) -> Values:
    """Integers of the set's scale as 8 bits, or as floats in [0, 1] where 8 bits would lose something."""
    if values.dtype.kind == "f":
        return values
    if scale > 255:
        return values / np.float64(scale)
    return values.astype(np.uint8) * np.uint8(255 // scale)


def _array(path: Path) -> Values:
    try:
        values: Values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UnreadableError(
            f"Cannot read {str(path)!r}: {first_line(error)}; replace the file or take it out."
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
