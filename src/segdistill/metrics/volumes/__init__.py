"""Score cases of CT and MR: volumes in their original grid, in millimetres."""

from __future__ import annotations

from segdistill.metrics.volumes.case_3d import CASE_3D, CaseByCase
from segdistill.metrics.volumes.cases import Cases
from segdistill.metrics.volumes.family import Volumes
from segdistill.metrics.volumes.kits import KITS19, KITS23, DiceOfRegions, SurfaceDiceOfRegions
from segdistill.metrics.volumes.lits import LITS, LiverTumours
from segdistill.metrics.volumes.regions import Region
from segdistill.metrics.volumes.slices import SLICE_2D, ForegroundSlices

__all__ = [
    "CASE_3D",
    "KITS19",
    "KITS23",
    "LITS",
    "SLICE_2D",
    "CaseByCase",
    "Cases",
    "DiceOfRegions",
    "ForegroundSlices",
    "LiverTumours",
    "Region",
    "SurfaceDiceOfRegions",
    "Volumes",
]
