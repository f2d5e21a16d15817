"""Score predictions: what a number means is fixed by a `Protocol`."""

from __future__ import annotations

from segdistill.metrics.at_size import DiceAtSize
from segdistill.metrics.base import Metric
from segdistill.metrics.calibration import Calibration
from segdistill.metrics.catalogue import PROTOCOLS, find_protocol
from segdistill.metrics.dice import DICE_AT_HALF, DiceAt
from segdistill.metrics.overlap import Overlap
from segdistill.metrics.protocols import Protocol
from segdistill.metrics.sizes import by_size

__all__ = [
    "DICE_AT_HALF",
    "PROTOCOLS",
    "Calibration",
    "DiceAt",
    "DiceAtSize",
    "Metric",
    "Overlap",
    "Protocol",
    "by_size",
    "find_protocol",
]
