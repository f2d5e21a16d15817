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
        raise SegDistillError(f"Cannot make the folder {path}: {_reason(error)}. Choose another.") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise SegDistillError(
            f"The folder {path} is not writable: choose another, or change its permissions."
        )
    return path


def write(path: Path, writer: Callable[[Path], object]) -> Path:
    """Let `writer` fill a temporary file beside the path, sync it to the disk, and rename it into place.

    Raises:
        SegDistillError: If the disk is full or the place is not writable; nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    make_folder(path.parent)
    try:
        writer(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        temporary.unlink(missing_ok=True)
        raise SegDistillError(f"Cannot write {path}: {_reason(error)}.") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return path


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
    pixels = image[..., ::-1] if image.ndim == 3 else image
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(pixels))
    return write_bytes(path, encoded.tobytes())


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error).splitlines()[0]).lower()
