"""Score hard masks: what a number means is fixed by a `Protocol`."""

from __future__ import annotations

from segdistill.metrics.base import Metric
from segdistill.metrics.overlap import Overlap
from segdistill.metrics.protocols import DICE_AT_HALF, PROTOCOLS, Protocol, find_protocol

__all__ = ["DICE_AT_HALF", "PROTOCOLS", "Metric", "Overlap", "Protocol", "find_protocol"]
