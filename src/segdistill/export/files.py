"""Whole files or none: a reader never finds half of one, a full disk leaves the old one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError


def make_folder(path: Path) -> Path:
    """Make a folder that can be written to, with its parents.

    Raises:
        SegDistillError: If that cannot be.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise SegDistillError(
            f"{path} cannot be a folder: a file stands in its way. Choose another."
        ) from None
    except OSError as error:
        raise SegDistillError(f"Cannot make the folder {path}: {reason(error)}. Choose another.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise SegDistillError(
            f"The folder {path} is not writable: choose another, or change its permissions."
        )
    return path


def check_place(path: Path) -> Path:
    """Refuse a place for a file before the long work of which it is to hold the result; its folder is made.

    A file that is there already will be replaced.

    Raises:
        SegDistillError: If it is a folder, or its own folder is not writable.
    """
    if path.is_dir():
        raise SegDistillError(f"{path} is a folder, where a file is to be written: name a file in it.")
    make_folder(path.parent)
    return path


def check_unused(folder: Path, option: str) -> Path:
    """Refuse a folder for results that holds something already.

    Args:
        folder: It need not exist.
        option: What a user sets it by.

    Raises:
        SegDistillError: If so.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise SegDistillError(f"{folder} holds files already. Take another {option}, or delete it.")
    return folder


def write(path: Path, writer: Callable[[Path], object]) -> Path:
    """Let `writer` fill a temporary file beside the path, sync it to the disk, and rename it into place.

    Raises:
        SegDistillError: If the disk is full or the place is not writable; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    make_folder(path.parent)
    try:
        writer(temporary)
        sync(temporary)
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        raise SegDistillError(f"Cannot write {path}: {reason(error)}.") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


def sync(path: Path) -> None:
    """Wait until a file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file of bytes, as `write` does."""
    return write(path, lambda temporary: temporary.write_bytes(content))


def write_text(path: Path, text: str) -> Path:
    """Write a text file, as `write` does."""
    return write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> Path:
    """Write plain data as JSON, as `write` does."""
    return write_text(path, json.dumps(value, indent=1) + "\n")


def write_png(path: Path, image: NDArray[np.uint8]) -> Path:
    """Write uint8 `(H, W)` or RGB `(H, W, 3)` as PNG.

    Raises:
        SegDistillError: As `write_bytes`.
    """
    return write_bytes(path, png(image))


def png(image: NDArray[np.uint8]) -> bytes:
    """Encode uint8 `(H, W)` or RGB `(H, W, 3)` as PNG."""
    pixels = image[..., ::-1] if image.ndim == 3 else image
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
    return bytes(encoded.tobytes())


def reason(error: Exception) -> str:
    """Say in a few words why a file could not be written."""
    return (getattr(error, "strerror", None) or str(error).splitlines()[0]).lower()
