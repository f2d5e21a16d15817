"""Whether probabilities mean what they say: calibration error, Brier score, reliability curve."""

from __future__ import annotations

from segdistill.metrics.calibration.bins import Bins
from segdistill.metrics.calibration.metric import Calibration
from segdistill.metrics.calibration.protocol import CALIBRATION, Reliability

__all__ = ["CALIBRATION", "Bins", "Calibration", "Reliability"]
