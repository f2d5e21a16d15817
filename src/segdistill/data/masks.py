"""How the pixels of a mask file become class indices, one small rule per kind of mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.data.channels import brightest, differs, first_channel, refuse_hidden
from segdistill.data.decode import read_values
from segdistill.data.samples import Pixels

# A lossy file of an empty mask may hold a few faint pixels; anything stronger was meant to be seen.
_FAINT = 32


class MaskRule(Protocol):
    """Reads one mask file as `(H, W)` uint8 class indices. Its `repr` is part of the keys of caches."""

    def __call__(self, path: Path) -> Pixels:
        """Read the file."""
        ...


@dataclass(frozen=True)
class BinaryMask:
    """Background and foreground by a threshold on grey values.

    Values from `threshold` up are foreground, so the grey rims of JPEG or interpolated masks become sharp. The
    channels of a mask in colour have to agree on it, and transparency may not change what is seen. A mask that
    holds only 0 and 1 is class indices already; palettes of greys are read as greys. Whatever would make a
    drawn mask all background without a word is an error.

    Args:
        threshold: The lowest grey value, 1 to 255, that is foreground.

    Examples:
        >>> BinaryMask()
        BinaryMask(threshold=128)
    """

    threshold: int = 128

    def __post_init__(self) -> None:
        """Refuse thresholds that no grey value meets, or all do."""
        if not 1 <= self.threshold <= 255:
            raise SegDistillError(
                f"threshold={self.threshold} is not a grey value; use 1 to 255, such as 128."
            )

    def __call__(self, path: Path) -> Pixels:
        """Read the file as 0 and 1.

        Raises:
            SegDistillError: If the file is broken, or its values do not tell what is foreground.
        """
        values = read_values(path, grey_palettes=True)
        refuse_hidden(values, path)
        values = _eight_bits(values)
        grey = brightest(values)
        most = int(grey.max(initial=0))
        if differs(values, (self.threshold if most > 1 else 1) - 0.5):
            raise SegDistillError(
                f"Mask {str(path)!r} is in colour, and its channels differ on what is foreground; save one grey "
                "value per pixel."
            )
        if most <= 1:
            return grey.astype(np.uint8)
        self._refuse_unclear(grey, most, path)
        return (grey >= self.threshold).view(np.uint8)

    def _refuse_unclear(self, grey: NDArray[Any], most: int, path: Path) -> None:
        lossy = path.suffix.lower() in (".jpg", ".jpeg")
        if most < self.threshold and not (lossy and most < _FAINT):
            raise SegDistillError(
                f"Mask {str(path)!r} has values up to {most}, all below the threshold {self.threshold}; "
                f"pass threshold={most} or lower, or list all classes if these are class indices."
            )
        if not lossy and self.threshold > 1 and set(np.unique(grey).tolist()) in ({1, 255}, {0, 1, 255}):
            raise SegDistillError(
                f"Mask {str(path)!r} holds 1 and 255, which may mean foreground and ignored or a faint rim; "
                "pass threshold=None for class indices with 255 ignored, or threshold=1 for grey values."
            )


@dataclass(frozen=True)
class IndexMask:
    """Class indices as stored, grey or palette; `ignore_index` becomes 255.

    Args:
        classes: How many classes there are; values run from 0 to `classes - 1`.
        ignore_index: The stored value of pixels that count nowhere, or None.
    """

    classes: int
    ignore_index: int | None = 255

    def __call__(self, path: Path) -> Pixels:
        """Read the file as class indices.

        Raises:
            SegDistillError: If the file is broken or holds any other value.
        """
        values = _single(read_values(path), path)
        self._refuse_others(values, path)
        mask = values.astype(np.uint8)
        if self.ignore_index is not None:
            mask[values == self.ignore_index] = 255
        return mask

    def _refuse_others(self, values: NDArray[Any], path: Path) -> None:
        others = [int(v) for v in np.unique(values) if not 0 <= v < self.classes and v != self.ignore_index]
        if others:
            ignored = "" if self.ignore_index is None else f" and {self.ignore_index} for ignored pixels"
            found = f"value {others[0]}" if len(others) == 1 else f"values {', '.join(map(str, others[:5]))}"
            raise SegDistillError(
                f"Mask {str(path)!r} holds the {found}; allowed are 0 to {self.classes - 1}{ignored}."
            )


def rule_for(classes: Sequence[str], threshold: int | None, ignore_index: int | None) -> MaskRule:
    """Choose the rule: two classes with a threshold are grey values, everything else is class indices."""
    if len(classes) < 2:
        raise SegDistillError(
            f"classes={tuple(classes)!r} names {len(classes)} class; name the background too, "
            "such as ('background', 'polyp')."
        )
    if len(classes) == 2 and threshold is not None:
        return BinaryMask(threshold)
    return IndexMask(len(classes), ignore_index)


def _eight_bits(values: NDArray[Any]) -> NDArray[Any]:
    """Reduce 16 bit to 8 where it is used, and bring floats up to 1 there."""
    if values.dtype.kind == "f" and values.max(initial=0) <= 1:
        values = values * 255
    return values // 257 if values.dtype != np.uint8 and values.max(initial=0) > 255 else values


def _single(values: NDArray[Any], path: Path) -> NDArray[Any]:
    if differs(values):
        raise SegDistillError(
            f"Mask {str(path)!r} is in colour where class indices belong; save one grey value per class."
        )
    return first_channel(values)
