"""The thirteen numbers of the benchmark's tables, of one image or of a data set."""

from __future__ import annotations

import math

import numpy as np

from segdistill.metrics.pranet.curves import NAMES, Curve
from segdistill.metrics.pranet.rules import Counts, Scale

#: In the order of the benchmark's tables.
KEYS = (
    *("meanDic", "meanIoU", "wFm", "Sm", "meanEm", "maxEm", "mae"),
    *("maxDic", "maxIoU", "meanSen", "maxSen", "meanSpe", "maxSpe"),
)
_CURVES = {"Dic": "dice", "IoU": "iou", "Em": "emeasure", "Sen": "sensitivity", "Spe": "specificity"}
_ROWS = {short: NAMES.index(name) for short, name in _CURVES.items()}


def summarise(curves: Curve, singles: dict[str, float]) -> dict[str, float | None]:
    """Put curves and single numbers into the benchmark's order.

    Args:
        curves: `(7, 256)`, of an image, or means over images.
        singles: `wFm`, `Sm` and `mae`.

    Returns:
        Every key; `None` where a score is undefined.
    """
    values, means, most = dict(singles), curves.mean(axis=1).tolist(), curves.max(axis=1).tolist()
    for short, row in _ROWS.items():
        values |= {f"mean{short}": means[row], f"max{short}": most[row]}
    return {key: None if math.isnan(values[key]) else values[key] for key in KEYS}


def mean_absolute_error(counts: Counts, scale: Scale) -> float:
    """Mean distance of a map to its ground truth.

    Args:
        counts: `(2, 256)` pixels of every level in background and foreground.
        scale: How levels become values.
    """
    level = np.arange(256) - scale.low
    off = int(counts[0] @ level) + int(counts[1] @ (scale.span - level))
    return off / (scale.span * int(counts.sum()))
