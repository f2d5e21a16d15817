"""A prediction file and a mask file as what a protocol reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.data.channels import Values, differs, first_channel
from segdistill.metrics.protocols import Side
from segdistill.scoring.colour import Coloured
from segdistill.scoring.pairs import Pair
from segdistill.scoring.truth import GreyTruth, LabelTruth, Truth
from segdistill.scoring.values import read_scaled, unit

#: What reading may have to say about predictions, with the number of files it happened to.
GREY = "Predictions with greys ({n}): foreground is what lies above 0.5, 128 and up in 8 bits."
ONES = "Predictions of 0 and 1 ({n}): 1 is foreground, since no file holds more."
FAINT = "Predictions of 0 and 1 among greys ({n}): 1 is a faint grey, and no foreground."
RESIZED = "Predictions brought to the size of their masks ({n}): {rule}."
BILINEAR = "bilinearly, with pixel centres at half-integers and without smoothing"
NEAREST = "by the nearest pixel"

#: Where the voxels of a volume lie: numbers by what they are, such as `spacing`.
Grid = Mapping[str, tuple[float, ...]]

_FAINTEST = 32


class Sample(NamedTuple):
    """One pair, ready for a metric.

    Attributes:
        predicted: What the protocol reads.
        target: The true mask; grey of 8 bits for protocols that read maps.
        spacing: Size of a voxel in mm, `(z, y, x)`; `None` for images.
        remarks: What a reader of the numbers should know of these files.
        fitted: Gives the prediction at the size of the mask; `None` where it has that.
        coloured: Files of which channel 0 was taken, and the others say something else.
        grid: Of the true mask, as `Volume` has it; `None` for images.
    """

    predicted: NDArray[Any]
    target: NDArray[Any]
    spacing: tuple[float, ...] | None = None
    remarks: tuple[str, ...] = ()
    fitted: Callable[[], NDArray[Any]] | None = None
    coloured: Coloured = MappingProxyType({})
    grid: Grid | None = None


@dataclass(frozen=True)
class MapReader:
    """Reads grey maps for protocols that cut them at many thresholds.

    Args:
        scale: What the integers of predictions count up to.
        truth: Reads the true masks.
    """

    rule: ClassVar[str] = BILINEAR

    scale: int
    truth: GreyTruth

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair: `(H, W)` uint8, or floats where the file has more than 8 bits.

        Raises:
            SegDistillError: If a file is broken or is no map.
        """
        values, truth = read_scaled(pair.predicted, self.scale), self.truth(pair.target)
        predicted = first_channel(values)
        return Sample(
            unit(predicted, self.scale),
            truth.values,
            remarks=(*_of_ones(predicted, self.scale), *truth.remarks),
            fitted=fit(predicted, truth.values, lambda size: unit(_bilinear(predicted, size), self.scale)),
            coloured=_coloured(pair, values, truth),
        )


@dataclass(frozen=True)
class BinaryReader:
    """Reads grey maps or masks of two classes for protocols that score one hard mask.

    Args:
        scale: What the integers of predictions count up to.
        truth: Reads the true masks as zeros and ones, and what is ignored.
    """

    rule: ClassVar[str] = BILINEAR + ", then cut at 0.5"

    scale: int
    truth: GreyTruth | LabelTruth

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair as zeros and ones; foreground is above half of the scale.

        Raises:
            SegDistillError: If a file is broken, or in colour.
        """
        values, truth = read_scaled(pair.predicted, self.scale), self.truth(pair.target)
        predicted = first_channel(values)
        if isinstance(self.truth, LabelTruth):
            _refuse_labels(predicted, pair.predicted)
        top = 1 if predicted.dtype.kind == "f" else self.scale
        grey = bool(((predicted > 0) & (predicted < top)).any())
        return Sample(
            _foreground(predicted, self.scale),
            truth.values,
            remarks=(*((GREY,) if grey else ()), *_of_ones(predicted, self.scale), *truth.remarks),
            fitted=fit(
                predicted, truth.values, lambda size: _foreground(_bilinear(predicted, size), self.scale)
            ),
            coloured=_coloured(pair, values, truth),
        )


@dataclass(frozen=True)
class IndexReader:
    """Reads class indices.

    Args:
        truth: Reads the true masks, and knows the classes.
    """

    rule: ClassVar[str] = NEAREST

    truth: LabelTruth

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair as class indices.

        Raises:
            SegDistillError: If a file is broken or holds another label.
        """
        predicted, truth = self.truth.read(pair.predicted), self.truth(pair.target)
        fitted = fit(predicted, truth.values, lambda size: _nearest(predicted, size))
        return Sample(predicted, truth.values, remarks=truth.remarks, fitted=fitted)


def fit(
    predicted: Values, target: Values, resize: Callable[[tuple[int, int]], Values]
) -> Callable[[], Values] | None:
    """How a prediction comes to the size of its mask; `None` if it has it."""
    height, width = target.shape
    return None if predicted.shape == target.shape else cache(lambda: resize((height, width)))


def wrong_size(pair: Pair, sample: Sample) -> SegDistillError:
    """The message for a prediction of another size than its mask."""
    p, t = ("x".join(map(str, each.shape)) for each in (sample.predicted, sample.target))
    return SegDistillError(
        f"The prediction {str(pair.predicted)!r} is {p}, its mask {t}; write predictions at the masks' "
        "size, or say --resize to have them resized."
    )


def _bilinear(values: Values, size: tuple[int, int]) -> Values:
    wide: Values = cv2.resize(values.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR)
    return (np.clip(wide, 0, 1) if values.dtype.kind == "f" else np.rint(wide)).astype(values.dtype)


def _nearest(values: Values, size: tuple[int, int]) -> Values:
    kind = (
        np.float32 if values.itemsize > 1 else values.dtype
    )  # OpenCV resizes no int32; labels are exact in both
    sized: Values = cv2.resize(values.astype(kind), size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return sized.astype(values.dtype)


def _coloured(pair: Pair, predicted: Values, truth: Truth) -> dict[Side, Path]:
    coloured: dict[Side, Path] = {}
    if differs(predicted):
        coloured["prediction"] = pair.predicted
    if truth.coloured:
        coloured["mask"] = pair.target
    return coloured


def _of_ones(predicted: Values, scale: int) -> tuple[str, ...]:
    """What to say of a prediction whose largest value is 1, which may be all or next to nothing."""
    if predicted.dtype.kind == "f" or predicted.max() != 1:
        return ()
    return (ONES if scale == 1 else FAINT,)


def _refuse_labels(predicted: Values, path: Path) -> None:
    """Beside class indices, a few small values are further classes, not the faintest of greys."""
    if predicted.dtype.kind != "f" and 1 < predicted.max() < _FAINTEST:
        raise SegDistillError(
            f"{str(path)!r} holds the label {predicted.max()}; 2 classes allow 0 to 1, or 0 and 255: see --classes."
        )


def _foreground(values: Values, scale: int) -> Values:
    half = 0.5 if values.dtype.kind == "f" else scale / 2
    return (values > half).view(np.uint8)
