"""Read image files to arrays, and say which file is broken.

Pillow decodes: it is as fast as OpenCV on JPEG, keeps palette indices, and refuses a truncated JPEG, where
some builds of OpenCV return the missing half in grey.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from segdistill.core import SegDistillError
from segdistill.images.bit_depth import to_bytes
from segdistill.images.pixels import Pixels

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    EOFError,
    struct.error,
    Image.DecompressionBombError,
)
_TRANSPOSED = {5, 6, 7, 8}  # EXIF orientations that swap height and width
_ORIENTATION = 0x0112


def read_image(path: str | Path) -> Pixels:
    """Read any supported image file as `(H, W, 3)` uint8 RGB.

    Alpha is dropped, 16-bit becomes 8 as `to_bytes` says, greyscale and palettes are expanded, and the EXIF
    orientation is applied, as every viewer and annotation tool does.

    Raises:
        SegDistillError: If the file is missing, truncated or not an image, or has pixels of unknown range: floats,
            32 bit, negative values.
    """
    raw = _load(Path(path))
    if isinstance(raw, np.ndarray):
        return _rgb(raw, path)
    if raw.mode in ("P", "PA"):
        raw = raw.convert("RGBA")  # a palette with transparency warns when it is converted to RGB directly
    if raw.mode in ("RGB", "RGBA"):
        return np.array(raw)[..., :3] if raw.mode == "RGB" else np.ascontiguousarray(np.asarray(raw)[..., :3])
    if raw.mode in ("1", "LA", "La", "CMYK", "YCbCr", "LAB", "HSV"):
        return np.array(raw.convert("RGB"))
    return _rgb(np.asarray(raw), path)


def read_values(path: str | Path, *, grey_palettes: bool = False) -> NDArray[Any]:
    """Read the stored values of a mask file: `(H, W)`, or `(H, W, C)` for colour; palette files give indices.

    Args:
        path: The file.
        grey_palettes: Give the greys of a palette that has no colours, not the indices.

    Raises:
        SegDistillError: If the file is missing, truncated or not an image.
    """
    raw = _load(Path(path))
    if isinstance(raw, np.ndarray):
        return raw
    if raw.mode in ("1", "LA", "La"):
        return np.array(raw.convert("L"))
    if raw.mode in ("P", "PA"):
        return _palette_values(raw, greys=grey_palettes)
    return np.array(raw)


def image_size(path: str | Path) -> tuple[int, int]:
    """Read (height, width) from the header, as the decoded array will have it."""
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION) in _TRANSPOSED
    except _BROKEN as error:
        if Path(path).suffix.lower() in (".tif", ".tiff"):
            rows, columns = _load_tiff(Path(path), error).shape[:2]
            return rows, columns
        raise _broken(Path(path), error) from error
    return (width, height) if turned else (height, width)


def _load(path: Path) -> Image.Image | NDArray[Any]:
    try:
        with Image.open(path) as image:
            halved = _is_halved(image)
            image.load()
            return _load_with_opencv(path) if halved else ImageOps.exif_transpose(image)
    except _BROKEN as error:
        if path.suffix.lower() in (".tif", ".tiff"):
            return _load_tiff(path, error)
        raise _broken(path, error) from error


def _is_halved(image: ImageFile.ImageFile) -> bool:
    """Whether Pillow keeps the upper 8 of 16 bits, which is nothing of a mask of 0 and 255: it does so in colour."""
    deep = image.format in ("PNG", "TIFF") and any(";16" in str(tile[3]) for tile in image.tile)
    return deep and len(image.getbands()) > 1 and image.getexif().get(_ORIENTATION, 1) == 1


def _load_tiff(path: Path, reason: Exception) -> NDArray[Any]:
    """Read what Pillow cannot, such as colour TIFF of floats."""
    try:
        return _load_with_opencv(path)
    except OSError:
        raise _broken(path, reason) from reason


def _load_with_opencv(path: Path) -> NDArray[Any]:
    raw = np.fromfile(path, np.uint8)
    image = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if raw.size else None
    if image is None:
        raise OSError("OpenCV cannot decode it")
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., [2, 1, 0, 3][: image.shape[2]]])


def _broken(path: Path, reason: Exception) -> SegDistillError:
    if isinstance(reason, FileNotFoundError):
        return SegDistillError(f"The file {str(path)!r} does not exist; was it moved during the run?")
    unknown_format = isinstance(reason, UnidentifiedImageError)
    why = "it is not an image" if unknown_format else str(reason).rstrip(".")
    return SegDistillError(f"Cannot read {str(path)!r}: {why}; replace the file or take it out.")


def _palette_values(image: Image.Image, *, greys: bool) -> NDArray[Any]:
    indices = np.array(image.convert("P") if image.mode == "PA" else image)
    colours = np.array(image.getpalette("RGB")).reshape(-1, 3)
    if not greys or (colours != colours[:, :1]).any():
        return indices
    levels = np.zeros(256, np.uint8)  # a palette may be shorter than the indices allow
    levels[: len(colours)] = colours[:, 0]
    values: NDArray[Any] = levels[indices]
    return values


def _rgb(values: NDArray[Any], path: str | Path) -> Pixels:
    """Bring grey, colour or colour with alpha, of 8 or 16 bit, to `(H, W, 3)` uint8."""
    if values.dtype.kind != "u" or values.dtype.itemsize > 2:
        raise SegDistillError(
            f"Cannot read {str(path)!r}: {values.dtype} pixels have no known range; save it with 8 or 16 bit, "
            "scaled so that white is 255 or 65535."
        )
    if values.dtype.itemsize == 2:
        values = to_bytes(values, place=repr(str(Path(path).parent)))
    colours = np.repeat(values[..., None], 3, axis=2) if values.ndim == 2 else values[..., :3]
    return np.ascontiguousarray(colours)
