"""The polyp benchmark's own scores, over 256 thresholds: the Python evaluator to the bit, and the MATLAB one."""

from __future__ import annotations

from segdistill.metrics.pranet.metric import PolypScores
from segdistill.metrics.pranet.protocol import PRANET_MATLAB, PRANET_PY, PraNet

__all__ = ["PRANET_MATLAB", "PRANET_PY", "PolypScores", "PraNet"]
