"""What a column of values, some of them missing, says in few numbers; the same in any order."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from typing import Any


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values there are; `None` without any."""
    there = [value for value in values if value is not None]
    return math.fsum(there) / len(there) if there else None


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
    centre = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1))
