"""Load any segmentation network by name: `load("smp.FPN", classes=1)`."""

from __future__ import annotations

from segdistill.models.catalogue import Row, catalogue
from segdistill.models.cost import Cost, cost
from segdistill.models.zoo import load

__all__ = ["Cost", "Row", "catalogue", "cost", "load"]
