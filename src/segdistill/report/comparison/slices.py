"""Of a volume, the one slice to look at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.viz import Image

Array = NDArray[Any]

_AIR = -500  # Hounsfield units; no magnetic resonance image goes so low
_SOFT_TISSUE = (-160.0, 240.0)  # the window of abdominal CT: level 40, width 400


def choose_slice(truth: Array, a: Sequence[Array], b: Sequence[Array], *, lost: bool) -> int:
    """Choose the slice that shows why a case is listed.

    Where B lost against A, it is the one in which B has most wrong voxels beyond A's; where B is worst, and among
    equals, the one in which B has most; after that, the one with most to find.

    Args:
        truth: `(D, H, W)`, slices first.
        a: Predictions of A's runs; their numbers of wrong voxels are averaged.
        b: Those of B's.
        lost: Whether B lost against A.
    """
    of_a, of_b = (np.mean([_count(mask != truth) for mask in side], axis=0) for side in (a, b))
    beyond = np.maximum(of_b - of_a, 0) if lost else of_b
    return int(np.lexsort((_count(truth != 0), of_b, beyond))[-1])


def grey(scan: Array, index: int) -> Image:
    """A slice of a CT in its soft-tissue window; of anything else, from its 1st to its 99th percentile.

    Args:
        scan: `(D, H, W)` of any numbers.
        index: Which slice.

    Returns:
        uint8 `(H, W, 3)`.
    """
    values = np.asarray(scan[index], np.float32)
    values = np.where(np.isfinite(values), values, 0)
    low, high = _SOFT_TISSUE if scan.min() < _AIR else np.percentile(values, [1, 99]).tolist()
    levels = np.rint(np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255)
    return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2)


def _count(marked: Array) -> Array:
    counts: Array = np.count_nonzero(marked, axis=(1, 2))
    return counts
