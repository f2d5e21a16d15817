"""What leaves the laboratory: predictors (numpy in, numpy out), prediction to files, and video."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from segdistill.export.base import Prediction, Predictor
from segdistill.export.onnx import OnnxPredictor
from segdistill.export.predict import Predicted, predict
from segdistill.export.video import Clip, Stability, frames

if TYPE_CHECKING:
    from segdistill.export.onnx.writing import Exported, export_onnx
    from segdistill.export.predictor import TorchPredictor

__all__ = [
    "Clip",
    "Exported",
    "OnnxPredictor",
    "Predicted",
    "Prediction",
    "Predictor",
    "Stability",
    "TorchPredictor",
    "export_onnx",
    "frames",
    "predict",
]


# Prediction with an exported student must not import torch, so these wait to be asked for.
_HOMES = {"Exported": "onnx.writing", "TorchPredictor": "predictor", "export_onnx": "onnx.writing"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
