"""Networks as ONNX files, which carry their preprocessing and say what their logits mean.

What reads them imports no torch: `graph` and `writing` alone do.
"""

from segdistill.export.onnx.predictor import SUFFIX, OnnxPredictor, is_exported

__all__ = ["SUFFIX", "OnnxPredictor", "is_exported"]
