"""True masks from files: greys that are cut at half, or class indices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.data.channels import Values, brightest, differs, first_channel
from segdistill.scoring.colour import refuse_colour
from segdistill.scoring.values import read_file, read_scaled, unit

_LOSSY = (".jpg", ".jpeg")
_FAINT = 32  # a lossy file of an empty mask may hold a few faint pixels
_FLAT = 0.01  # of what is drawn: a rim has next to no areas of one grey
_KERNEL = np.ones((3, 3), np.uint8)

#: What reading may have to say about files, with the number of files it happened to.
SOFT = "Masks with greys ({n}): foreground is 128 and up in 8 bits."
IGNORED = "Masks with ignored pixels ({n}): label {label} counts nowhere."


class Truth(NamedTuple):
    """One true mask.

    Attributes:
        values: `(H, W)`.
        coloured: Its channels disagree on what is foreground.
        remarks: What a reader of the numbers should know of this file.
    """

    values: Values
    coloured: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class GreyTruth:
    """Reads a mask of greys, of which those above half are foreground.

    Args:
        scale: What the integers of the set's masks count up to.
        hard: Give zeros and ones; otherwise the greys in 8 bits, as evaluators take them.
    """

    scale: int
    hard: bool = False

    def __call__(self, path: Path) -> Truth:
        """Read a file.

        Raises:
            SegDistillError: If it is broken, or its values do not tell what is foreground.
        """
        values = read_scaled(path, self.scale)
        coloured = differs(values, 0.5 if values.dtype.kind == "f" else self.scale / 2)
        grey = _eight_bits(unit(first_channel(values), self.scale))
        if not coloured:
            refuse_unclear(self._seen(values) if differs(values) else grey, path, hard=self.hard)
        soft = self.hard and path.suffix.lower() not in _LOSSY and bool(_between(grey).any())
        # What is left of ones is noise of a lossy file, and metrics would take them for class indices.
        mask = (grey >= 128).view(np.uint8) if self.hard else np.where(grey == 1, np.uint8(0), grey)
        return Truth(mask, coloured, (SOFT,) if soft else ())

    def _seen(self, values: Values) -> NDArray[np.uint8]:
        """The brightest channel, so that nothing drawn in one of the others is missed, without noise of colour."""
        grey = _eight_bits(unit(brightest(values), self.scale))
        return np.where(grey < _FAINT, np.uint8(0), grey)


@dataclass(frozen=True)
class LabelTruth:
    """Reads class indices.

    Args:
        classes: How many classes there are.
        ignored: Label that counts nowhere.
    """

    classes: int
    ignored: int = 255

    def __call__(self, path: Path) -> Truth:
        """Read a true mask.

        Raises:
            SegDistillError: If the file is broken or holds another label.
        """
        values = self.read(path, ignores=True)
        remark = IGNORED.replace("{label}", str(self.ignored))
        return Truth(values, remarks=(remark,) if (values == self.ignored).any() else ())

    def read(self, path: Path, *, ignores: bool = False) -> Values:
        """Read class indices, with or without ignored pixels among them.

        Raises:
            SegDistillError: If the file is broken or holds another label.
        """
        values = refuse_colour(read_file(path, indices=True), path)
        wrong = values >= self.classes
        if ignores:
            wrong &= values != self.ignored
        if values.dtype.kind == "f" or wrong.any():
            found = values.dtype if values.dtype.kind == "f" else f"the label {values[wrong][0]}"
            more = f" and {self.ignored} for ignored pixels" if ignores and self.ignored >= 0 else ""
            raise SegDistillError(
                f"{str(path)!r} holds {found}; {self.classes} classes allow 0 to {self.classes - 1}{more}: "
                "see --classes."
            )
        return values.astype(np.uint8 if max(self.classes - 1, self.ignored) < 256 else np.int32)

    def refuse_greys(self, paths: Iterable[Path]) -> None:
        """Refuse a set of two classes in which foreground may have been taken for ignored.

        Mostly one file says that it has not.

        Raises:
            SegDistillError: If label 1 is in no mask, and the ignored one in some.
        """
        ignored = 0
        for path in paths:
            try:
                values = self(path).values
            except SegDistillError:
                return  # named when it is its turn to be scored
            if (values == 1).any():
                return
            ignored += bool((values == self.ignored).any())
        if ignored:
            raise SegDistillError(
                f"Label 1 is in no true mask, and {self.ignored}, which is ignored, in {ignored}; leave out "
                f"--classes if {self.ignored} is the foreground."
            )


def refuse_unclear(grey: NDArray[np.uint8], path: Path, *, hard: bool) -> None:
    """Refuse a true mask in which something is drawn that a cut at half would not see.

    Args:
        grey: `(H, W)` with 8 bits.
        path: Of the file; one that was compressed with losses holds noise.
        hard: The protocol scores masks, so that it could read class indices.

    Raises:
        SegDistillError: If nothing reaches half, or the values look like class indices.
    """
    lossy = path.suffix.lower() in _LOSSY
    way_out = (
        "name the classes with --classes" if hard else "name a protocol that reads masks, and --classes,"
    )
    brightest = int(grey.max())
    if (_FAINT if lossy else 1) <= brightest < 128:
        raise SegDistillError(
            f"The mask {str(path)!r} has values up to {brightest}, all below 128, so none is foreground; "
            f"save it as 0 and 255, or {way_out} if these are class indices."
        )
    if not lossy and (labels := _labels(grey)).size:
        found = ", ".join(map(str, labels[:3]))
        raise SegDistillError(
            f"The mask {str(path)!r} holds {found} and {brightest}, which may mean class indices and ignored pixels, "
            f"or a faint rim; save it as 0 and 255, or {way_out} if these are class indices."
        )


def _labels(grey: NDArray[np.uint8]) -> NDArray[Any]:
    """Values between background and foreground that are no rim: they fill areas, or all are far from both."""
    between = _between(grey)
    drawn: NDArray[np.uint8] = grey[between]
    if not drawn.size:
        return drawn
    if grey.max() == 255 and drawn.max() < _FAINT:
        return np.unique(drawn)
    middle = (
        between & (grey >= _FAINT) & (grey < 256 - _FAINT)
    )  # the rest may be noise of a file that was lossy once
    flat = middle & (cv2.erode(grey, _KERNEL) == cv2.dilate(grey, _KERNEL))
    return np.unique(grey[flat] if np.count_nonzero(flat) > _FLAT * np.count_nonzero(grey) else drawn[:0])


def _between(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((grey > 0) & (grey < grey.max()))


def _eight_bits(values: Values) -> NDArray[np.uint8]:
    """Floats as levels, of which 128 and up lie above 0.5."""
    return np.ceil(values * 255.0 - 0.5).astype(np.uint8) if values.dtype.kind == "f" else values
