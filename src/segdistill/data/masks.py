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
from segdistill.images.decode import read_values
from segdistill.images.pixels import Pixels

# A lossy file of an empty mask may hold a few faint pixels; anything stronger was meant to be seen.
_FAINT = 32
_WORD = 65535  # white in 16 bits


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
    holds only 0 and 1 is class indices already; palettes of greys are read as greys. Integers above 255 are 16
    bit and floats up to 1 are shares of white; both are scaled to 0 to 255 and rounded. Whatever would make a
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
        colours = values if values.ndim == 2 else values[..., :3]
        levels = _eight_bits(colours, path)
        stored = colours.max(initial=0)
        indices = not stored or (stored == 1 and values.dtype.kind != "f")
        threshold = 1 if indices else self.threshold
        if differs(levels, threshold - 0.5):
            raise SegDistillError(
                f"Mask {str(path)!r} is in colour, and its channels differ on what is foreground; save one grey "
                "value per pixel."
            )
        grey = brightest(levels)
        if not indices:
            self._refuse_unclear(grey, stored, path)
        return (grey >= threshold).view(np.uint8)

    def _refuse_unclear(self, grey: NDArray[Any], stored: Any, path: Path) -> None:
        lossy = path.suffix.lower() in (".jpg", ".jpeg")
        most = int(grey.max())
        scaled = most != stored
        if most < self.threshold and not (lossy and most < _FAINT):
            eight = f" ({most} in 8 bit)" if scaled else ""
            way_out = f"pass threshold={most} or lower" if most else "scale them up"
            raise SegDistillError(
                f"Mask {str(path)!r} has values up to {stored:g}{eight}, all below the threshold {self.threshold}; "
                f"{way_out}, or list all classes if these are class indices."
            )
        sharp = not lossy and not scaled and self.threshold > 1
        if sharp and set(np.unique(grey).tolist()) in ({1, 255}, {0, 1, 255}):
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
        if self.ignore_index is not None:
            values = np.where(values == self.ignore_index, 255, values)
        return values.astype(np.uint8)

    def _refuse_others(self, values: NDArray[Any], path: Path) -> None:
        allowed = {*range(self.classes), self.ignore_index}
        others = [v for v in np.unique(values).tolist() if v not in allowed]
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


def _eight_bits(values: NDArray[Any], path: Path) -> Pixels:
    """Bring values to 8 bit: floats up to 1 are shares of white, and what goes beyond 255 has 16 bit."""
    if values.dtype == np.uint8:
        return values
    low, high = values.min(initial=0), values.max(initial=0)
    share = values.dtype.kind == "f" and low >= 0 and high <= 1
    strange = values[~((values >= 0) & (values <= _WORD) & (share | (values == np.trunc(values))))]
    if strange.size:
        raise SegDistillError(
            f"Mask {str(path)!r} holds {strange[0]:g}, which is no grey value; save whole numbers from 0 to 255, "
            "or list all classes if these are class indices."
        )
    white = 1 if share else _WORD if high > 255 else 255
    return np.rint(values * (255 / white)).astype(np.uint8)


def _single(values: NDArray[Any], path: Path) -> NDArray[Any]:
    if differs(values):
        raise SegDistillError(
            f"Mask {str(path)!r} is in colour where class indices belong; save one grey value per class."
        )
    return first_channel(values)
