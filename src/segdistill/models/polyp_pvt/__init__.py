"""Polyp-PVT, the teacher and the student of KDAS."""

from __future__ import annotations

from segdistill.models.polyp_pvt.builder import build
from segdistill.models.polyp_pvt.network import PolypPVT

__all__ = ["PolypPVT", "build"]
