"""Two volumes of one case: checked, and cropped to where something is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics.intake import to_array
from segdistill.metrics.volumes.surfaces import Bits, Spacing

Labels = NDArray[np.uint8]
Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Pair:
    """The labels of one case around everything that is predicted or true: what lies outside is background.

    Attributes:
        predicted: `(d, h, w)`.
        target: `(d, h, w)`.
    """

    predicted: Labels
    target: Labels

    @property
    def found(self) -> list[int]:
        """All labels but 0 in either, in order."""
        present = np.bincount(self.predicted.ravel(), minlength=256)
        present += np.bincount(self.target.ravel(), minlength=256)
        return [label for label in np.flatnonzero(present).tolist() if label]


def read_pair(predicted: Any, target: Any, *, name: str, protocol: str, classes: Sequence[str]) -> Pair:
    """Check and crop two volumes `(D, H, W)` of class indices, arrays or tensors.

    Args:
        predicted: What a network says.
        target: What is true.
        name: Id of the case, for messages.
        protocol: Name of the protocol, for messages.
        classes: Names of the labels; all up to 255 are known if there are none.

    Raises:
        SegDistillError: If the volumes differ in shape, are not volumes of class indices, or hold a label that is
            not known.
    """
    p, t = (_volume(v, which, name) for v, which in ((predicted, "predicted"), (target, "true")))
    if p.shape != t.shape:
        raise SegDistillError(
            f"The predicted volume of {name!r} is {p.shape}, the true one {t.shape}; "
            f"bring the prediction back to the grid of the case."
        )
    boxes = []
    for volume, which in ((p, "predicted"), (t, "true")):
        wrong = _unknown_label(volume, len(classes) or 256)
        if wrong is not None:
            known = ", ".join(f"{i} {c}" for i, c in enumerate(classes)) or "labels from 0 to 255"
            raise SegDistillError(
                f"The {which} volume of {name!r} holds the label {wrong}; {protocol!r} knows {known}, and ignores no "
                f"voxel: write one of these there."
            )
        boxes.append(box_of(volume))
    box = _union(*boxes)
    return Pair(*(np.ascontiguousarray(volume[box], dtype=np.uint8) for volume in (p, t)))


def read_spacing(spacing: Sequence[float] | None, *, protocol: str) -> Spacing:
    """Check the size of a voxel.

    Raises:
        SegDistillError: If it is not three lengths.
    """
    if spacing is None:
        raise SegDistillError(
            f"{protocol!r} measures in millimetres; give spacing=(z, y, x), the size of a voxel."
        )
    sizes = tuple(float(size) for size in spacing)
    if len(sizes) != 3 or not all(math.isfinite(size) and size > 0 for size in sizes):
        raise SegDistillError(f"A spacing is three lengths (z, y, x) in millimetres, got {sizes}.")
    return sizes[0], sizes[1], sizes[2]


def crop(predicted: Bits, target: Bits) -> tuple[Bits, Bits]:
    """Cut two masks, one of which has a voxel, to the box around both."""
    box = _union(box_of(predicted), box_of(target))
    return predicted[box], target[box]


def box_of(volume: NDArray[Any]) -> Box | None:
    """Smallest box around all that is not 0; `None` if nothing is."""
    order = np.argsort(volume.strides)[
        ::-1
    ]  # files differ in which axis runs fastest: go through memory in order
    view = volume.transpose(order)
    first, second = (view.max(axis=axis) for axis in (1, 0))  # the cheapest two of the three projections
    profiles = first.any(axis=1), second.any(axis=1), second.any(axis=0)
    if not profiles[0].any():
        return None
    box = [slice(0)] * 3
    for axis, profile in zip(order, profiles, strict=True):
        inside = np.flatnonzero(profile)
        box[axis] = slice(int(inside[0]), int(inside[-1]) + 1)
    return box[0], box[1], box[2]


def _union(a: Box | None, b: Box | None) -> Box:
    """Box around two boxes; one voxel if there is none."""
    boxes = [box for box in (a, b) if box] or [(slice(0, 1),) * 3]
    z, y, x = (
        slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*boxes, strict=True)
    )
    return z, y, x


def _volume(volume: Any, which: str, name: str) -> NDArray[Any]:
    array = to_array(volume)
    if array.ndim != 3 or not array.size:
        raise SegDistillError(
            f"The {which} mask of {name!r} is {array.shape}, not a volume (D, H, W); stack the slices of a case."
        )
    if array.dtype.kind not in "biu":
        raise SegDistillError(
            f"The {which} volume of {name!r} is {array.dtype}, not class indices; decode it first."
        )
    return array.view(np.uint8) if array.dtype == bool else array


def _unknown_label(volume: NDArray[Any], count: int) -> int | None:
    """A label that is not in `range(count)`, or `None`."""
    if volume.dtype.kind == "i" and (lowest := int(volume.min())) < 0:
        return lowest
    return highest if (highest := int(volume.max())) >= count else None
