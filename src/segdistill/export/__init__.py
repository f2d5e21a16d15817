"""What leaves the laboratory: predictors (numpy in, numpy out), prediction to files, and video."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segdistill.export.base import Prediction, Predictor
from segdistill.export.predict import Predicted, predict
from segdistill.export.video import Clip, Stability, frames

if TYPE_CHECKING:
    from segdistill.export.predictor import TorchPredictor

__all__ = [
    "Clip",
    "Predicted",
    "Prediction",
    "Predictor",
    "Stability",
    "TorchPredictor",
    "frames",
    "predict",
]


def __getattr__(name: str) -> object:
    # Prediction with an exported student must not import torch, so this class waits to be asked for.
    if name != "TorchPredictor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from segdistill.export.predictor import TorchPredictor

    return TorchPredictor
