"""What a user may send: which files are images, how large, and what is said about all others."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image as Pillow
from PIL import UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from segdistill.core import SegDistillError
from segdistill.images.decode import read_image
from segdistill.viz import Image

#: Formats by content, whatever a file is called. MPO is what many phones and cameras write as .jpg.
FORMATS: Mapping[str, str] = {
    "PNG": "PNG",
    "JPEG": "JPEG",
    "MPO": "JPEG",
    "BMP": "BMP",
    "TIFF": "TIFF",
}
WANTED = "PNG, JPEG, BMP or TIFF"
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, struct.error)
_WIDTH, _HEIGHT = 256, 257


@dataclass(frozen=True)
class Limits:
    """How much one user may ask for.

    Attributes:
        megabytes: Of one image file.
        megapixels: Of one image.
        files: In one batch.
        unpacked_megabytes: Of all files of one batch.
        frames: Of one video.
        kept_megabytes: Of results of all users, in memory.
    """

    megabytes: int = 50
    megapixels: float = 24
    files: int = 2000
    unpacked_megabytes: int = 2000
    frames: int = 1500
    kept_megabytes: int = 2000

    def for_classes(self, count: int) -> Limits:
        """Fewer pixels where each has many probabilities, so that one image stays below 2 GB."""
        return replace(self, megapixels=min(self.megapixels, round(200 / max(1, count), 1)))


def read_upload(path: str | Path, limits: Limits, *, name: str | None = None) -> Image:
    """Read an uploaded image as uint8 RGB `(H, W, 3)`, after a look at its header.

    Args:
        path: The file.
        limits: Of its size.
        name: What the user calls it; the file's own name by default.

    Raises:
        SegDistillError: One sentence if it is too large, of another kind, damaged, or holds several pictures.
    """
    path = Path(path)
    name = name or path.name
    check(path, limits, name=name)
    try:
        return read_image(path)
    except SegDistillError as error:
        # The user knows the file by its name, not by where the server keeps it.
        raise SegDistillError(str(error).replace(str(path), name)) from error


def check(path: Path, limits: Limits, *, name: str) -> None:
    """Refuse a file by its header, as `read_upload` does."""
    _check_bytes(path, name, limits)
    width, height = _size(path, name)
    if width * height > limits.megapixels * 1e6:
        raise _too_many_pixels(name, f"{width * height / 1e6:.0f}", limits)


def check_kept(path: str | Path) -> None:
    """Refuse an upload that is older than an hour, and gone.

    Raises:
        SegDistillError: If so.
    """
    if not Path(path).is_file():
        raise SegDistillError("The upload is no longer kept: choose it again.")


def _check_bytes(path: Path, name: str, limits: Limits) -> None:
    check_kept(path)
    size = path.stat().st_size
    if size == 0:
        raise SegDistillError(f"{name!r} is empty: the file has 0 bytes; choose another.")
    if size > limits.megabytes * 1e6:
        raise SegDistillError(
            f"{name!r} has {size / 1e6:.0f} MB, and {limits.megabytes} are the limit: make the image smaller."
        )


def _size(path: Path, name: str) -> tuple[int, int]:
    try:
        with Pillow.open(path) as image:
            _check_kind(image, name)
            return image.size
    except Pillow.DecompressionBombError:
        raise SegDistillError(f"{name!r} has far too many pixels: make the image smaller.") from None
    except UnidentifiedImageError:
        if size := _tiff_size(path):
            return size
        raise _no_image(name) from None
    except _BROKEN:
        raise _no_image(name) from None


def _check_kind(image: Pillow.Image, name: str) -> None:
    kind = image.format or ""
    if kind not in FORMATS:
        moving = "an animated GIF" if kind == "GIF" and _pictures(image) > 1 else f"a {kind} file"
        raise SegDistillError(f"{name!r} is {moving}: save the picture you mean as {WANTED}.")
    if kind != "MPO" and _pictures(image) > 1:
        raise SegDistillError(
            f"{name!r} holds {_pictures(image)} pictures: save the one you mean as a file of its own."
        )


def _pictures(image: Pillow.Image) -> int:
    return int(getattr(image, "n_frames", 1))


def _tiff_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a TIFF that Pillow cannot decode, such as colour of 16 bit; nothing is decoded."""
    try:
        with path.open("rb") as file:
            header = file.read(8)
            directory = ImageFileDirectory_v2(header)
            file.seek(directory.next)
            directory.load(file)
        return int(directory[_WIDTH]), int(directory[_HEIGHT])
    except _BROKEN:
        return None


def _no_image(name: str) -> SegDistillError:
    return SegDistillError(f"{name!r} is not an image that can be read: choose a {WANTED} file.")


def _too_many_pixels(name: str, megapixels: str, limits: Limits) -> SegDistillError:
    return SegDistillError(
        f"{name!r} has {megapixels} megapixels, and {limits.megapixels:g} are the limit: "
        f"make the image smaller, or cut out the part that matters."
    )
