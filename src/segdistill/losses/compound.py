"""Sums of a region loss and a pixel loss, the field's usual objectives."""

from __future__ import annotations

from torch import Tensor

from segdistill.losses.base import Loss
from segdistill.losses.bce import BCE
from segdistill.losses.ce import CE
from segdistill.losses.dice import Dice
from segdistill.losses.focal import Focal
from segdistill.tasks import Task


class _Sum(Loss):
    def __init__(self, region: Loss, pixel: Loss) -> None:
        super().__init__()
        self.region, self.pixel = region, pixel
        self.fractions = region.fractions and pixel.fractions

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        return self.region.per_image(logits, mask, task) + self.pixel.per_image(logits, mask, task)


class DiceBCE(_Sum):
    """Soft Dice plus binary cross-entropy, for binary and multi-label tasks.

    Args:
        smooth: See `Dice`.
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__(Dice(smooth), BCE())
        self.smooth = smooth


class DiceCE(_Sum):
    """Soft Dice plus cross-entropy, for multi-class tasks.

    Args:
        smooth: See `Dice`.
    """

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__(Dice(smooth), CE())
        self.smooth = smooth


class FocalDice(_Sum):
    """Soft Dice plus focal loss, for rare and small objects.

    Args:
        gamma: See `Focal`.
        smooth: See `Dice`.
    """

    def __init__(self, gamma: float = 2.0, smooth: float = 1.0) -> None:
        super().__init__(Dice(smooth), Focal(gamma))
        self.gamma, self.smooth = gamma, smooth
