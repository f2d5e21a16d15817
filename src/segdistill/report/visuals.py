"""Look at predictions: image, truth, prediction and errors side by side, one picture per image."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.export.base import Predictor
from segdistill.export.files import write_png
from segdistill.report.predictions import Samples, predict
from segdistill.viz import colorize, error_map, panel
from segdistill.viz.colors import Image

TITLES = ("image", "ground truth", "prediction", "errors")
COUNT, IGNORED = 10, 255


def save_panels(
    network: Predictor, samples: Samples, folder: str | Path, *, count: int = COUNT
) -> list[Path]:
    """Write `NAME.png` for the first images of a test set.

    Among the errors, white is right, orange too much and sky blue too little; of several classes, white is wrong.

    Args:
        network: From an image to a `Prediction`.
        samples: The test set.
        folder: Where the pictures go.
        count: How many images.

    Raises:
        SegDistillError: If the network gives several labels per pixel, or the place is not writable.
    """
    return [
        write_png(Path(folder) / f"{name}.png", draw(network, samples, name))
        for name in islice(samples.ids, count)
    ]


def draw(network: Predictor, samples: Samples, name: str) -> Image:
    """One image of a test set as a row of four."""
    example = predict(samples, name, {"": network})
    truth, found = example.truth, example.predictions[""]
    if found.ndim != 2:
        raise SegDistillError(
            "Panels show one label per pixel, and this network gives several; use segdistill predict --overlay."
        )
    known = np.where(truth == IGNORED, found, truth)
    if len(network.classes) == 2:
        shown, errors = [_white(truth == 1), _white(found == 1)], error_map(found, known)
    else:
        shown, errors = [colorize(truth), colorize(found)], _white(found != known)
    return panel([example.image, *shown, errors], TITLES)


def _white(marked: NDArray[np.bool_]) -> Image:
    return marked.astype(np.uint8) * np.uint8(255)
