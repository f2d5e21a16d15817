"""From pixel counts to rates. Counts are integers, so rates do not depend on the order of the images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def overlaps(counts: Counts) -> list[float | None]:
    """IoU per class; `None` for a class that is in neither mask.

    Args:
        counts: `(C, 3)` pixels in both masks, in the predicted, in the true one.
    """
    return [_ratio(both, predicted + true - both) for both, predicted, true in counts.tolist()]


def recalls(counts: Counts) -> list[float | None]:
    """The share of a class's pixels that were found; `None` where the truth has none."""
    return [_ratio(both, true) for both, _, true in counts.tolist()]


def pixel_accuracy(counts: Counts) -> float:
    """The share of all pixels that got their class."""
    both, _, true = counts.sum(axis=0).tolist()
    return float(both / true)


def weighted(values: Sequence[float | None], weights: Counts) -> float:
    """Mean of the values that exist, each weighted by how many true pixels its class has."""
    terms = [w * v for v, w in zip(values, weights.tolist(), strict=True) if v is not None]
    return math.fsum(terms) / int(weights.sum())


def _ratio(part: int, whole: int) -> Any:
    return part / whole if whole else None
