"""Foreground maps and their true masks, checked: what protocols that read `map` are fed with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics.intake import to_array
from segdistill.tasks import Multilabel, Task

Bits = NDArray[np.bool_]


def read_map(predicted: Any, *, name: str) -> NDArray[Any]:
    """Check a foreground map.

    Args:
        predicted: `(H, W)` uint8 grey levels, or floats in [0, 1].
        name: Id of the image, for messages.

    Returns:
        The map, uint8 or floats of at least 32 bits.

    Raises:
        SegDistillError: If it is anything else.
    """
    array = to_array(predicted)
    if array.ndim != 2 or not array.size:
        raise SegDistillError(
            f"The predicted map of {name!r} is {array.shape}; one channel (H, W) is needed."
        )
    return array if array.dtype == np.uint8 else check_unit(array, name=name)


def check_unit(array: NDArray[Any], *, name: str) -> NDArray[Any]:
    """Check that values are probabilities, and give them with at least 32 bits.

    Raises:
        SegDistillError: If they are not floats in [0, 1].
    """
    if array.dtype.kind != "f":
        raise SegDistillError(
            f"The predicted map of {name!r} is {array.dtype}; give uint8 levels 0 to 255, or floats from 0 to 1."
        )
    low, high = float(array.min()), float(array.max())
    if not 0 <= low <= high <= 1:  # NaN is neither
        raise SegDistillError(
            f"The predicted map of {name!r} reaches from {low:.4g} to {high:.4g}; give probabilities from 0 to 1."
        )
    return array.astype(np.float32) if array.itemsize < 4 else array


def read_truth(target: Any, *, name: str) -> Bits:
    """Check the true mask that goes with a map; pixels cannot be ignored.

    Args:
        target: `(H, W)` class indices 0 and 1, or uint8 grey levels, of which 128 and more are foreground.
        name: Id of the image, for messages.

    Returns:
        Where the foreground is.

    Raises:
        SegDistillError: If it is anything else.
    """
    array = to_array(target)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "biu":
        raise SegDistillError(
            f"The true mask of {name!r} is {array.dtype} {array.shape}; class indices (H, W) are needed."
        )
    used = set(np.unique(array).tolist())
    if used <= {0, 1}:
        return np.asarray(array == 1)
    if array.dtype != np.uint8:
        raise SegDistillError(
            f"The true mask of {name!r} holds the label {min(used - {0, 1})}; give 0 and 1, or uint8 grey levels."
        )
    if {1, 255} <= used <= {0, 1, 255}:
        raise SegDistillError(
            f"The true mask of {name!r} holds 0, 1 and 255, which looks like class indices with ignored pixels: "
            f"protocols that read maps ignore none, so make them 0 or 1."
        )
    return np.asarray(array >= 128)


def check_binary(task: Task | None, protocol: str) -> None:
    """Refuse tasks of several classes.

    Raises:
        SegDistillError: Saying what to do.
    """
    if task is not None and (isinstance(task, Multilabel) or len(task.classes) != 2):
        raise SegDistillError(
            f"{protocol!r} scores maps of one foreground, and the task has the classes {', '.join(task.classes)}; "
            f"name a protocol that reads masks."
        )
