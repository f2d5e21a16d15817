"""What a column of values, some of them missing, says in few numbers; the same in any order."""

from __future__ import annotations

import math
import statistics
from typing import Any


def spread(values: list[float | None]) -> dict[str, Any]:
    """Sample deviation (of two values or more), median, and of how many values; how many are missing."""
    there = [value for value in values if value is not None]
    return {
        "sd": _deviation(there) if len(there) > 1 else None,
        "median": statistics.median(there) if there else None,
        "cases": len(there),
        "left_out": len(values) - len(there),
    }


def _deviation(values: list[float]) -> float:
    centre = statistics.fmean(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
