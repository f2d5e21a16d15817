"""What ITK does not tell of a NIfTI file: that its data are cut off or damaged, or hold values that are no number.

ITK fills what is missing with zeros, and makes NaN and infinite values 0: all of it would count as background.
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from itertools import product
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

#: Endings of NIfTI files.
NIFTI = (".nii", ".nii.gz")

_GZIP = b"\x1f\x8b"
_FLOATS = {16: "f4", 64: "f8"}  # values by the codes of the format
_CHUNK = 1 << 20  # bytes, a whole number of values


class DamagedError(ValueError):
    """Why a file cannot be believed."""


class _Layout(NamedTuple):
    """Where a header says what: formats of `struct` and places in bytes."""

    kind: int
    shape: tuple[str, int]
    offset: tuple[str, int]


_LAYOUTS = {  # by the header's length, with which it begins
    348: _Layout(kind=70, shape=("8h", 40), offset=("f", 108)),
    540: _Layout(kind=12, shape=("8q", 16), offset=("q", 168)),
}


class _Header(NamedTuple):
    """What is stored where: `kind` of floats for numpy, empty for integers; `offset` and `size` in bytes."""

    kind: str
    offset: int
    size: int


def first_non_finite(path: Path) -> float | None:
    """Read all data of a NIfTI file once; give the first value that is no finite number, if there is one.

    Raises:
        DamagedError: If the header is none, or the data end early or do not agree with their check sum.
        OSError: If the file cannot be opened.
    """
    try:
        with _open(path) as file:
            return _look(file)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        why = "its data end early" if isinstance(error, EOFError) else "its data are damaged"
        raise DamagedError(f"{why}, so it was not copied or written to its end") from error


def _open(path: Path) -> BinaryIO:
    """Like ITK, by what the file begins with and not by its name."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path) if packed else path.open("rb")  # type: ignore[return-value]


def _look(file: BinaryIO) -> float | None:
    header = _header(file.read(max(_LAYOUTS)))
    file.seek(header.offset)
    found, left = None, header.size
    while left:
        chunk = file.read(min(left, _CHUNK))
        if not chunk:
            raise EOFError
        left -= len(chunk)
        if header.kind and found is None:
            found = _first_in(chunk, header.kind)
    file.read(1)  # at the end of a packed file stands its check sum
    return found


def _header(begin: bytes) -> _Header:
    """Read the header of NIfTI-1 or -2 in either order of bytes.

    Raises:
        DamagedError: If it is neither.
    """
    for order, (length, layout) in product("<>", _LAYOUTS.items()):
        if len(begin) >= length and struct.unpack_from(f"{order}i", begin) == (length,):
            kind, bits = struct.unpack_from(f"{order}2h", begin, layout.kind)
            axes, *shape = struct.unpack_from(order + layout.shape[0], begin, layout.shape[1])
            (offset,) = struct.unpack_from(order + layout.offset[0], begin, layout.offset[1])
            voxels = math.prod(max(1, size) for size in shape[:axes])
            floats = order + _FLOATS[kind] if kind in _FLOATS else ""
            return _Header(floats, max(int(offset), length), voxels * bits // 8)
    raise DamagedError("it has no NIfTI header")


def _first_in(chunk: bytes, kind: str) -> float | None:
    values = np.frombuffer(chunk[: len(chunk) - len(chunk) % np.dtype(kind).itemsize], kind)
    wrong = values[~np.isfinite(values)]
    return float(wrong[0]) if wrong.size else None
