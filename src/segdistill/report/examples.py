"""Cases to look at: which to show, and how they are drawn."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.viz import GREEN, Image, contour, error_map, overlay_labels

IGNORED = 255
_LONGEST = (
    440  # pixels: sharp at the width of a column on a dense screen, small enough for a file with dozens
)


@dataclass(frozen=True)
class Example:
    """One image with its truth and what networks made of it.

    Attributes:
        id: Name of the image.
        image: uint8 RGB `(H, W, 3)`.
        truth: `(H, W)` class indices; 255 is ignored.
        predictions: `(H, W)` class indices by label of the run.
        rank: Why it is shown, such as `"worst"`; examples of one rank are shown together.
        dataset: The test set it belongs to.
    """

    id: str
    image: Image
    truth: NDArray[np.integer]
    predictions: Mapping[str, NDArray[np.integer]] = field(default_factory=dict)
    rank: str = ""
    dataset: str = ""


@dataclass(frozen=True)
class Picture:
    """One drawn cell of the grid: what it is, its Dice where there is one, and the image as a data URI."""

    label: str
    alt: str
    uri: str
    dice: float | None = None


def choose(scores: Mapping[str, float], *, count: int = 2) -> dict[str, str]:
    """Choose cases that neither flatter nor slander: the worst, those around the median, the best.

    Args:
        scores: One score per image id.
        count: How many of each.

    Returns:
        Image id to `"worst"`, `"median"` or `"best"`, worst first; no image twice.

    Examples:
        >>> choose({"a": 0.9, "b": 0.1, "c": 0.5}, count=1)
        {'b': 'worst', 'c': 'median', 'a': 'best'}
    """
    ids = sorted(
        (name for name in scores if scores[name] == scores[name]), key=lambda name: (scores[name], name)
    )
    middle = max(0, (len(ids) - count) // 2)
    ranked = {"worst": ids[:count], "best": ids[::-1][:count], "median": ids[middle : middle + count]}
    chosen: dict[str, str] = {}
    for rank, names in ranked.items():
        chosen.update({name: rank for name in names if name not in chosen})
    return {
        name: rank
        for wanted in ("worst", "median", "best")
        for name, rank in chosen.items()
        if rank == wanted
    }


def draw(example: Example) -> list[Picture]:
    """Draw an example: the image, the truth, and every prediction.

    Two classes give error maps with the outline of the truth, more give the colours of the classes.

    Raises:
        SegDistillError: If a mask does not fit the image.
    """
    for name, mask in {"truth": example.truth, **example.predictions}.items():
        if mask.shape != example.image.shape[:2]:
            raise SegDistillError(
                f"The mask {name!r} of example {example.id!r} has shape {mask.shape}, "
                f"its image {example.image.shape[:2]}: predict at the size of the image."
            )
    image = _small(example.image, cv2.INTER_AREA)
    several = (
        max(
            int(np.where(m == IGNORED, 0, m).max(initial=0))
            for m in (example.truth, *example.predictions.values())
        )
        > 1
    )
    truth = _small(_counted(example.truth, example.truth), cv2.INTER_NEAREST)
    marked = overlay_labels(image, truth) if several else contour(image, truth, color=GREEN)
    pictures = [
        Picture("Image", f"Image {example.id}", uri(image)),
        Picture("Truth", f"Truth of {example.id}, marked on the image", uri(marked)),
    ]
    for label, mask in example.predictions.items():
        counted = _counted(mask, example.truth)
        small = _small(counted, cv2.INTER_NEAREST)
        drawn = overlay_labels(image, small) if several else error_map(small, truth, image=image)
        dice = None if several else _dice(counted, _counted(example.truth, example.truth))
        alt = f"{label} on {example.id}" + ("" if dice is None else f", Dice {100 * dice:.1f} %")
        pictures.append(Picture(label, alt, uri(drawn), dice))
    return pictures


def uri(image: Image) -> str:
    """Encode an image as a data URI, so that a page needs no second file."""
    _, encoded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode()


def _counted(mask: NDArray[np.integer], truth: NDArray[np.integer]) -> NDArray[np.uint8]:
    return np.where(truth == IGNORED, 0, mask).astype(np.uint8)


def _small(image: NDArray[np.uint8], interpolation: int) -> Image:
    height, width = image.shape[:2]
    scale = min(1.0, _LONGEST / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def _dice(mask: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float:
    found, wanted = mask != 0, truth != 0
    total = int(found.sum() + wanted.sum())
    return 2 * int((found & wanted).sum()) / total if total else 1.0
