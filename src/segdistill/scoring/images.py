"""A prediction file and a mask file as what a protocol reads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.scoring.pairs import Pair
from segdistill.scoring.values import Values, one_channel, read_file, read_scaled

_LOSSY = (".jpg", ".jpeg")
_FAINT = 32  # a lossy file of an empty mask may hold a few faint pixels

#: What reading may have to say about files, with the number of files it happened to.
COLOUR = "{files} in colour ({n}): channel 0 was scored."
GREY = "Predictions with greys ({n}): foreground is what lies above 0.5, 128 and up in 8 bits."
RESIZED = "Predictions brought to the size of their masks ({n}): {rule}."
BILINEAR = "bilinearly, with pixel centres at half-integers and without smoothing"
NEAREST = "by the nearest pixel"


class Sample(NamedTuple):
    """One pair, ready for a metric.

    Attributes:
        predicted: What the protocol reads.
        target: The true mask; grey of 8 bits for protocols that read maps.
        spacing: Size of a voxel in mm, `(z, y, x)`; `None` for images.
        remarks: What a reader of the numbers should know of these files.
        fitted: Gives the prediction at the size of the mask; `None` where it has that.
    """

    predicted: NDArray[Any]
    target: NDArray[Any]
    spacing: tuple[float, ...] | None = None
    remarks: tuple[str, ...] = ()
    fitted: Callable[[], NDArray[Any]] | None = None


@dataclass(frozen=True)
class MapReader:
    """Reads grey maps for protocols that cut them at many thresholds.

    Args:
        scales: What the integers of predictions and of masks count up to.
    """

    rule: ClassVar[str] = BILINEAR

    scales: tuple[int, int]

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair: `(H, W)` uint8, or floats where the file has more than 8 bits.

        Raises:
            SegDistillError: If a file is broken or is no map.
        """
        scale, true_scale = self.scales
        predicted, remarks = _grey(pair.predicted, scale, "Predictions")
        target, coloured = _grey(pair.target, true_scale, "Masks")
        true = _eight_bits(_unit(target, true_scale))
        _refuse_unclear(true, pair.target)
        # What is left of ones is noise of a lossy file, and metrics would take them for class indices.
        true = np.where(true == 1, np.uint8(0), true)
        fitted = fit(predicted, true, lambda size: _unit(_bilinear(predicted, size), scale))
        return Sample(_unit(predicted, scale), true, remarks=(*remarks, *coloured), fitted=fitted)


@dataclass(frozen=True)
class BinaryReader:
    """Reads grey maps or masks of two classes for protocols that score one hard mask.

    Args:
        scales: What the integers of predictions and of masks count up to.
    """

    rule: ClassVar[str] = BILINEAR + ", then cut at 0.5"

    scales: tuple[int, int]

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair as zeros and ones; foreground is above half of the scale.

        Raises:
            SegDistillError: If a file is broken, or in colour.
        """
        scale, true_scale = self.scales
        predicted = _uncoloured(read_scaled(pair.predicted, scale), pair.predicted)
        target = _brightest(read_scaled(pair.target, true_scale), pair.target)
        true = _unit(target, true_scale)
        _refuse_unclear(_eight_bits(true), pair.target)
        top = 1 if predicted.dtype.kind == "f" else scale
        grey = bool(((predicted > 0) & (predicted < top)).any())
        fitted = fit(predicted, true, lambda size: _foreground(_bilinear(predicted, size), scale))
        remarks = (GREY,) if grey else ()
        return Sample(_foreground(predicted, scale), _foreground(true, 255), remarks=remarks, fitted=fitted)


@dataclass(frozen=True)
class IndexReader:
    """Reads class indices.

    Args:
        classes: How many classes there are.
        ignored: Label of the true mask that counts nowhere.
    """

    rule: ClassVar[str] = NEAREST

    classes: int
    ignored: int = 255

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair as class indices.

        Raises:
            SegDistillError: If a file is broken or holds another label.
        """
        predicted, target = self._indices(pair.predicted), self._indices(pair.target, ignores=True)
        return Sample(
            predicted, target, fitted=fit(predicted, target, lambda size: _nearest(predicted, size))
        )

    def _indices(self, path: Path, *, ignores: bool = False) -> Values:
        values = _uncoloured(read_file(path, indices=True), path)
        wrong = values >= self.classes
        if ignores:
            wrong &= values != self.ignored
        if values.dtype.kind == "f" or wrong.any():
            found = values.dtype if values.dtype.kind == "f" else f"the label {values[wrong][0]}"
            more = f" and {self.ignored} for ignored pixels" if ignores else ""
            raise SegDistillError(
                f"{str(path)!r} holds {found}; {self.classes} classes allow 0 to {self.classes - 1}{more}: "
                "see --classes."
            )
        return values.astype(np.uint8 if max(self.classes, self.ignored) < 256 else np.int32)


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


def _grey(path: Path, scale: int, files: str) -> tuple[Values, tuple[str, ...]]:
    values, coloured = one_channel(read_scaled(path, scale), path)
    return values, (COLOUR.replace("{files}", files),) if coloured else ()


def _unit(values: Values, scale: int) -> Values:
    """Integers of the set's scale as 8 bits, or as floats in [0, 1] where 8 bits would lose something."""
    if values.dtype.kind == "f":
        return values
    if scale > 255:
        return values / np.float64(scale)
    return values.astype(np.uint8) * np.uint8(255 // scale)


def _eight_bits(values: Values) -> Values:
    return np.rint(values * 255.0).astype(np.uint8) if values.dtype.kind == "f" else values


def _foreground(values: Values, scale: int) -> Values:
    half = 0.5 if values.dtype.kind == "f" else scale / 2
    return (values > half).view(np.uint8)


def _uncoloured(values: Values, path: Path) -> Values:
    grey, coloured = one_channel(values, path)
    if coloured:
        raise SegDistillError(
            f"{str(path)!r} is in colour, where a mask belongs; save one grey value per class."
        )
    return grey


def _brightest(values: Values, path: Path) -> Values:
    """The brightest channel of a true mask in colour, as the library's data sets take it."""
    one_channel(values, path)
    return values if values.ndim == 2 else values[..., :3].max(axis=2)


def _refuse_unclear(grey: Values, path: Path) -> None:
    """Refuse a true mask in which something is drawn that a cut at half would not see."""
    lossy = path.suffix.lower() in _LOSSY
    brightest = int(grey.max())
    if (_FAINT if lossy else 1) <= brightest < 128:
        raise SegDistillError(
            f"The mask {str(path)!r} has values up to {brightest}, all below 128, so none is foreground; "
            "save it as 0 and 255, or name the classes with --classes if these are class indices."
        )
    faint = (grey > 0) & (grey < _FAINT)
    if brightest == 255 and not lossy and faint.any() and not ((grey >= _FAINT) & (grey < 255)).any():
        found = ", ".join(map(str, np.unique(grey[faint])[:3]))
        raise SegDistillError(
            f"The mask {str(path)!r} holds {found} and 255, which may mean class indices and ignored pixels, or a "
            "faint rim; save it as 0 and 255, or name the classes with --classes."
        )
