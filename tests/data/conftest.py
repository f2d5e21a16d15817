"""Small folders of images and masks, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


class Folder:
    """A root with `images` and `masks` to put files into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for kind in ("images", "masks"):
            (root / kind).mkdir(parents=True)

    def pair(self, name: str, *, mask: np.ndarray | None = None, size: tuple[int, int] = (12, 16)) -> Folder:
        """Add a PNG image of noise and its mask, by default a foreground square on background."""
        rng = np.random.default_rng(sum(name.encode()))
        self.image(f"{name}.png", rng.integers(0, 256, (*size, 3), dtype=np.uint8))
        if mask is None:
            mask = np.zeros(size, np.uint8)
            mask[2:6, 3:9] = 255
        return self.mask(f"{name}.png", mask)

    def image(self, name: str, pixels: np.ndarray) -> Folder:
        Image.fromarray(pixels).save(self.root / "images" / name)
        return self

    def mask(self, name: str, pixels: np.ndarray | Image.Image) -> Folder:
        picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
        picture.save(self.root / "masks" / name)
        return self


@pytest.fixture
def folder(tmp_path) -> Folder:
    return Folder(tmp_path / "set")


@pytest.fixture
def make_folder(tmp_path):
    return lambda name: Folder(tmp_path / name)
