"""Files that a user takes along, at the size of the source."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from segdistill.app.drawing import Look, draw
from segdistill.app.finding import Found
from segdistill.export import pictures
from segdistill.export.files import png


def mask(found: Found, look: Look, folder: Path) -> Path:
    """Write what `segdistill predict` would: one PNG, or a zip of one PNG per class where classes may overlap."""
    files = [(suffix, png(m)) for suffix, m in pictures.files(found.at(look.threshold), found.classes)]
    name = stem(found)
    if len(files) == 1:
        path = folder / f"{name}_mask.png"
        path.write_bytes(files[0][1])
        return path
    path = folder / f"{name}_masks.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for suffix, content in files:
            archive.writestr(f"{name}{suffix}.png", content)
    return path


def overlay(found: Found, look: Look, folder: Path) -> Path:
    """Write the image with its masks as a PNG."""
    path = folder / f"{stem(found)}_overlay.png"
    path.write_bytes(png(draw(found, look)))
    return path


def stem(found: Found) -> str:
    """The name of a found image as part of a file name: no folders, nothing that a file system minds."""
    return re.sub(r"[^\w.-]+", "-", Path(found.name).stem).strip("-.")[:80] or "image"
