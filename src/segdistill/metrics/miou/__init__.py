"""Mean IoU of classes over a data set, and what is reported beside it."""

from __future__ import annotations

from segdistill.metrics.miou.metric import PooledClasses
from segdistill.metrics.miou.protocol import MIOU, VOC_513, MeanIoU

__all__ = ["MIOU", "VOC_513", "MeanIoU", "PooledClasses"]
