"""Endoscopy-like frames with polyps, made from numbers: no files, no licence, for tests and demos."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from segdistill.core import SegDistillError
from segdistill.data.augment import Augment
from segdistill.data.samples import Data, Samples, digest
from segdistill.data.seeding import stable_seed
from segdistill.images import mucosa
from segdistill.images.pixels import Pixels

_SCENE = 4  # frames that share colours and light, like frames of one video
_EMPTY = 0.1


class SyntheticSet(Samples):
    """Frames of pink, folded mucosa with highlights, and one to three low-contrast polyps in nine of ten.

    Frame `i` depends on (seed, i) only. Groups of four frames share a scene.

    Args:
        count: How many frames.
        size: (height, width) in pixels.
        seed: Which of the many possible sets.

    Examples:
        >>> SyntheticSet(2, size=(96, 120))[0]["image"].shape
        torch.Size([3, 96, 120])
    """

    def __init__(self, count: int, *, size: tuple[int, int] = (192, 240), seed: int = 0) -> None:
        if count < 1 or min(size) < 32:
            raise SegDistillError(
                f"count={count}, size={size} makes no frames; use at least 1 and 32 pixels."
            )
        self.size, self.seed = (int(size[0]), int(size[1])), seed
        self.ids = [f"frame_{index:05d}" for index in range(count)]
        self.groups = [f"scene_{index // _SCENE:05d}" for index in range(count)]
        self.sources = ["synthetic"] * count
        self.classes = ("background", "polyp")

    def arrays(self, index: int) -> tuple[Pixels, Pixels]:
        """Draw one frame."""
        index = range(len(self))[index]  # an IndexError past the end, as of any sequence
        scene = np.random.default_rng(stable_seed("scene", self.seed, index // _SCENE))
        frame = np.random.default_rng(stable_seed("frame", self.seed, index))
        polyps = 0 if frame.random() < _EMPTY else int(frame.integers(1, 4))
        return mucosa.draw(scene, frame, size=self.size, polyps=polyps)

    def hashes(self) -> dict[str, str]:
        """Hash what each frame is drawn from."""
        recipe = f"{mucosa.VERSION} {self.size} {self.seed}"
        return {name: digest([recipe, name]) for name in self.ids}

    def sizes(self) -> list[tuple[int, ...]]:
        """Return the one size of all frames."""
        return [self.size] * len(self)

    def describe(self) -> str:
        """Name the set."""
        return f"SyntheticSet(size={self.size}, seed={self.seed})"

    def write(self, folder: str | Path) -> Path:
        """Write the set as `folder/{images,masks}` PNG files (masks 0 and 255) and return the folder."""
        target = Path(folder)
        for kind in ("images", "masks"):
            (target / kind).mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(self.ids):
            image, mask = self.arrays(index)
            _write(target / "images" / f"{name}.png", image[..., ::-1])
            _write(target / "masks" / f"{name}.png", mask * 255)
        return target


def synthetic(
    *, train: int = 160, val: int = 32, test: int = 32, size: tuple[int, int] = (192, 240), seed: int = 0
) -> Data:
    """Make disjoint synthetic sets for training, validation and test.

    Args:
        train: Frames to learn from.
        val: Frames to select on.
        test: Frames to report.
        size: (height, width) of the frames; training keeps it.
        seed: Which of the many possible sets.

    Examples:
        >>> data = synthetic(train=8, val=4, test=4, size=(64, 80))
        >>> len(data.train), list(data.tests)
        (8, ['synthetic'])
    """
    sets = [SyntheticSet(count, size=size, seed=3 * seed + i) for i, count in enumerate((train, val, test))]
    return Data(sets[0], sets[1], {"synthetic": sets[2]}, Augment(size, rotation=30))


def _write(path: Path, pixels: Pixels) -> None:
    ok, encoded = cv2.imencode(".png", pixels)
    if not ok:
        raise SegDistillError(f"Cannot encode {path.name!r} as PNG.")
    path.write_bytes(encoded.tobytes())
