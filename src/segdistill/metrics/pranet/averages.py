"""Means over images, first of whole curves."""

from __future__ import annotations

import math
from statistics import fmean
from typing import NamedTuple

import numpy as np

from segdistill.metrics.pranet.curves import NAMES, SPECIFICITY, Curve


class Scored(NamedTuple):
    """Scores of an image.

    Attributes:
        id: Its name.
        empty: Whether there is nothing to find.
        curves: `(7, 256)`.
        singles: `wFm`, `Sm` and `mae`; NaN where undefined.
    """

    id: str
    empty: bool
    curves: Curve
    singles: dict[str, float]


class Averages:
    """Running sums over images. What is undefined for an image is left out of its mean, and counted.

    The order of the images decides over the last bit: that of the published evaluators is the alphabetical one.
    """

    def __init__(self) -> None:
        self.images = self.empty = self.full = 0
        self._sum: Curve = np.zeros((len(NAMES), 256))
        self._singles: dict[str, list[float]] = {"wFm": [], "Sm": [], "mae": []}

    def add(self, image: Scored) -> None:
        """Take in an image."""
        self.images += 1
        self.empty += image.empty
        for key, value in image.singles.items():
            if not math.isnan(value):
                self._singles[key].append(value)
        full = bool(
            np.isnan(image.curves[SPECIFICITY, -1])
        )  # at threshold 0 a full ground truth is always hit
        self.full += full
        self._sum += np.nan_to_num(image.curves, nan=0.0) if full else image.curves

    @property
    def curves(self) -> Curve:
        """`(7, 256)` means."""
        means = self._sum / self.images
        means[SPECIFICITY] = self._sum[SPECIFICITY] / (self.images - self.full or math.nan)
        return means

    @property
    def singles(self) -> dict[str, float]:
        """Means of `wFm`, `Sm` and `mae`; NaN where no image has one."""
        return {key: fmean(v) if v else math.nan for key, v in self._singles.items()}

    @property
    def notes(self) -> list[str]:
        """What an empty or full ground truth did to the means."""
        said = []
        if self.empty:
            said.append(
                f"{_images(self.empty)} with nothing to find: "
                f"Dice, IoU, sensitivity and specificity count 0 there, whatever was predicted"
            )
        lacking = {key: self.images - len(values) for key, values in self._singles.items()}
        for key, missing, why in (
            ("wFm", lacking["wFm"], "nothing to find"),
            ("Sm", lacking["Sm"], "the centre of mass leaves a quarter of the image empty"),
            ("specificity", self.full, "nothing but foreground"),
        ):
            if missing:
                said.append(f"{key} is undefined for {_images(missing)} ({why}) and left out of its mean")
        return said


def _images(count: int) -> str:
    return f"{count} image{'s' if count > 1 else ''}"
