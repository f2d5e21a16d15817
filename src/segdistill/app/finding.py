"""What a network found on one image, kept so that another threshold needs no network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.export import Prediction
from segdistill.export.video.stability import planes
from segdistill.viz import SKY, Color, Image, palette

#: Where a probability becomes a yes; at this value a mask is the one that `segdistill predict` writes.
THRESHOLD = 0.5

Mask = NDArray[np.uint8]
Map = NDArray[np.float32]


@dataclass(frozen=True)
class Area:
    """How much of an image one class takes.

    Attributes:
        name: Of the class.
        color: It is drawn in.
        pixels: At the size of the source.
        percent: Of the image.
    """

    name: str
    color: Color
    pixels: int
    percent: float


@dataclass(frozen=True)
class Found:
    """An image with its probabilities.

    Attributes:
        image: uint8 RGB `(H, W, 3)`.
        prediction: At the size of the image.
        classes: Names by index.
        name: What the user calls the image.
        model: Which network looked at it.
        seconds: It took.
    """

    image: Image
    prediction: Prediction
    classes: tuple[str, ...]
    name: str = "image"
    model: str = ""
    seconds: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of its arrays."""
        return self.image.nbytes + self.prediction.mask.nbytes + self.prediction.probability.nbytes

    @property
    def has_threshold(self) -> bool:
        """Whether a probability decides; where classes exclude each other, the most probable one wins instead."""
        return self._is_binary or self.prediction.mask.ndim == 3

    @property
    def named(self) -> tuple[str, ...]:
        """Classes that are drawn and measured: all but a background."""
        return self.classes if self.prediction.mask.ndim == 3 else self.classes[1:]

    @property
    def colors(self) -> list[Color]:
        """One for each of `named`."""
        if self._is_binary:
            return [SKY]
        return [(int(r), int(g), int(b)) for r, g, b in palette(len(self.named) + 1)[1:]]

    def at(self, threshold: float) -> Prediction:
        """The prediction with another threshold; the same one where there is none to choose.

        Args:
            threshold: Pixels above it belong to the class, in [0, 1].
        """
        if not self.has_threshold or threshold == THRESHOLD:
            return self.prediction
        mask = (self.prediction.probability > threshold).astype(np.uint8)
        return Prediction(mask, self.prediction.probability)

    def layers(self, threshold: float = THRESHOLD) -> Iterator[tuple[Color, Mask]]:
        """Colour and mask `(H, W)` of zeros and ones, of each of `named`."""
        found = planes(self.at(threshold), self.classes)
        return ((color, mask) for color, (_, mask) in zip(self.colors, found, strict=True))

    def areas(self, threshold: float = THRESHOLD) -> list[Area]:
        """Measure each of `named`."""
        total = self.image.shape[0] * self.image.shape[1]
        counts = [(color, int(np.count_nonzero(mask))) for color, mask in self.layers(threshold)]
        return [
            Area(name, color, count, 100 * count / total)
            for name, (color, count) in zip(self.named, counts, strict=True)
        ]

    def probability(self, name: str | None = None) -> Map:
        """The probabilities `(H, W)` of one class, the first of `named` if it is not said which."""
        values = self.prediction.probability
        if values.ndim == 2:
            return values
        chosen = name if name in self.classes else self.named[0]
        one: Map = values[self.classes.index(chosen)]
        return one

    def shrunk(self, side: int) -> Found:
        """The same at most `side` pixels long, for a screen; itself if it is small enough."""
        height, width = self.image.shape[:2]
        factor = side / max(height, width)
        if factor >= 1:
            return self
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        values = self.prediction.probability
        flat = values[None] if values.ndim == 2 else values
        probability: Map = np.stack([cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in flat])
        probability = probability[0] if values.ndim == 2 else probability
        image: Image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        return replace(self, image=image, prediction=Prediction(self._decoded(probability), probability))

    @property
    def _is_binary(self) -> bool:
        return self.prediction.probability.ndim == 2

    def _decoded(self, probability: Map) -> Mask:
        if self.has_threshold:
            return (probability > THRESHOLD).astype(np.uint8)
        mask: Mask = probability.argmax(axis=0).astype(self.prediction.mask.dtype)
        return mask
