"""Two networks, image by image: which is better, and how sure that is."""

from __future__ import annotations

from segdistill.report.comparison.differences import Case, Difference, Interval
from segdistill.report.comparison.result import Comparison, compare
from segdistill.report.comparison.sides import split

__all__ = ["Case", "Comparison", "Difference", "Interval", "compare", "split"]
