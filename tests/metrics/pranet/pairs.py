"""The recorded pairs of maps and ground truths, and what the original evaluator says about them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

FOLDER = Path(__file__).parents[2] / "golden" / "polyp_metrics"
RECORDED = json.loads((FOLDER / "per_image.json").read_text())["cases"]
PYSOD = json.loads((FOLDER / "pysodmetrics.json").read_text())["images"]

#: Names of curves: the original's, ours.
CURVES = {
    "pre": "precision",
    "sen": "sensitivity",
    "spe": "specificity",
    "dice": "dice",
    "f1": "f1",
    "iou": "iou",
    "em": "emeasure",
}


def read(name):
    """A map and its ground truth, `(H, W)` uint8."""
    return tuple(
        cv2.imread(str(FOLDER / side / f"{name}.png"), cv2.IMREAD_UNCHANGED) for side in ("pred", "gt")
    )


def recorded_curve(name, key):
    """`(256,)` as recorded; NaN is written as text."""
    return np.array([float(value) for value in RECORDED[name]["curves"][key]])


def scored(protocol, *pairs):
    """A metric that has seen these pairs, under the ids 0, 1, ..."""
    metric = protocol.metric()
    for number, (predicted, truth) in enumerate(pairs):
        metric.update([predicted], [truth], [str(number)])
    return metric
