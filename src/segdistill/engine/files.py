"""Write files so that a reader finds the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from segdistill.core import SegDistillError


def write(path: Path, writer: Callable[[Path], object]) -> None:
    """Let `writer` fill a temporary file, sync it, and rename it into place.

    Raises:
        SegDistillError: If the disk is full or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, RuntimeError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise SegDistillError(
            f"Cannot write {path}: {reason}. Free space or choose another folder."
        ) from error


def write_text(path: Path, text: str) -> None:
    """Write a text file."""
    write(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write plain data as JSON."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, which nothing can hide code in."""
    # Clones, because shared storage is an error there.
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    write(path, lambda temporary: save_file(tensors, temporary))
