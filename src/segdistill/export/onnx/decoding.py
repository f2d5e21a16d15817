"""Logits as a mask and probabilities, as `tasks` reads them, in numpy."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from segdistill.export.base import Prediction

Map: TypeAlias = NDArray[np.float32]


def decode(task: str, logits: Map) -> Prediction:
    """Read the logits `(C, H, W)` of one image.

    Args:
        task: What they mean: `Binary`, `Multiclass` or `Multilabel`.
        logits: At the size of the image.
    """
    if task == "Multiclass":
        return Prediction(logits.argmax(axis=0).astype(np.uint8), _softmax(logits))
    values = logits[0] if task == "Binary" else logits
    return Prediction((values > 0).astype(np.uint8), _sigmoid(values))


def _sigmoid(logits: Map) -> Map:
    # The same function as 1 / (1 + exp(-x)), which would overflow.
    half = np.float32(0.5)
    probabilities: Map = half + half * np.tanh(half * logits)
    return probabilities


def _softmax(logits: Map) -> Map:
    powers = np.exp(logits - logits.max(axis=0))
    probabilities: Map = powers / powers.sum(axis=0)
    return probabilities
