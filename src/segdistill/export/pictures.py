"""A prediction as pictures: masks, probabilities, overlays, each with the ending of its file's name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from segdistill.export.base import Prediction
from segdistill.viz import SKY, Image, contour, overlay, overlay_labels


def files(
    prediction: Prediction, classes: Sequence[str], *, probability: bool = False
) -> Iterator[tuple[str, Image]]:
    """Give what is written of a prediction: masks as `predict` describes them, and probabilities if wanted."""
    yield from _masks(prediction, classes)
    if probability:
        yield from _by_class("_probability", np.rint(prediction.probability * 255), classes)


def overlaid(image: Image, prediction: Prediction) -> Image:
    """Draw what was found on the image."""
    if _is_binary(prediction):
        return contour(overlay(image, prediction.mask, opacity=0.3), prediction.mask, color=SKY)
    if prediction.mask.ndim == 2:
        return overlay_labels(image, prediction.mask)
    # Several labels on one pixel cannot all be shown: the one listed last is on top.
    numbers = np.arange(1, len(prediction.mask) + 1, dtype=np.uint8)[:, None, None]
    return overlay_labels(image, (prediction.mask * numbers).max(axis=0), ignore_index=-1)


def _masks(prediction: Prediction, classes: Sequence[str]) -> Iterator[tuple[str, Image]]:
    if prediction.mask.ndim == 3:
        yield from _by_class("", prediction.mask * 255, classes)
    else:
        yield "", prediction.mask * np.uint8(255 if _is_binary(prediction) else 1)


def _by_class(kind: str, maps: NDArray[np.generic], classes: Sequence[str]) -> Iterator[tuple[str, Image]]:
    if maps.ndim == 2:
        yield kind, maps.astype(np.uint8)
        return
    for name, values in zip(classes, maps, strict=True):
        yield kind + ending(name), values.astype(np.uint8)


def ending(name: str) -> str:
    """What the name of a class adds to that of a file: it is free text, and file names are not."""
    return "_" + re.sub(r"[^\w.-]+", "-", name)


def _is_binary(prediction: Prediction) -> bool:
    return prediction.probability.ndim == 2
