"""Means that are the same in any order."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean


def mean(values: Iterable[float | None]) -> float | None:
    """Mean of the values there are, by exact sums; `None` without any."""
    there = [value for value in values if value is not None]
    return fmean(there) if there else None
