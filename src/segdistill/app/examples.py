"""Images to try the page with: a folder of the user's own, or frames drawn from numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from segdistill.app.intake import Limits, check
from segdistill.core import SegDistillError
from segdistill.export.files import write_png
from segdistill.images import mucosa
from segdistill.images.decode import SUFFIXES

COUNT = 6
SIZE = (384, 512)


def find(folder: Path, limits: Limits) -> list[Path]:
    """The first images of a folder, by name.

    Raises:
        SegDistillError: If it holds none, or one of them is no image, which would be sent to every user as it is.
    """
    if not folder.is_dir():
        raise SegDistillError(f"There is no folder {folder} of examples.")
    named = (f for f in folder.iterdir() if f.suffix.lower() in SUFFIXES and f.name[0] != ".")
    files = sorted(filter(Path.is_file, named))[:COUNT]
    if not files:
        raise SegDistillError(f"The folder {folder} holds no image to show as an example.")
    for file in files:
        check(file, limits, name=str(file))
    return files


def draw(folder: Path, *, size: tuple[int, int] = SIZE) -> list[Path]:
    """Draw synthetic endoscopy, which comes without a licence, and write it as PNG.

    Args:
        folder: To write to; it is made.
        size: Height and width. A network that takes images at their own size needs those it was trained on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_frame(folder / f"synthetic-{index + 1}.png", index, size) for index in range(COUNT)]


def _frame(path: Path, index: int, size: tuple[int, int]) -> Path:
    scene, frame = (np.random.default_rng((index, part)) for part in range(2))
    image, _ = mucosa.draw(scene, frame, size=size, polyps=1 + index % 2)
    return write_png(path, image)
