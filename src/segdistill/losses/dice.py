"""Soft Dice loss."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.losses.base import Loss
from segdistill.tasks import Multiclass, Task


class Dice(Loss):
    r"""One minus the soft overlap of prediction and label, per image and class.

    $$1 - \frac{2\sum_i p_i g_i + s}{\sum_i p_i + \sum_i g_i + s}$$

    The background of a `Multiclass` task does not count.

    Args:
        smooth: $s$, in pixels; it makes an empty prediction of an empty label perfect. At 0 an image without a pixel
            that counts has no overlap to speak of; it then has no loss either.

    Raises:
        SegDistillError: If `smooth` is negative.
    """

    paper = (
        "Milletari et al., V-Net: Fully Convolutional Neural Networks for Volumetric Segmentation, 3DV 2016"
    )

    fractions = True

    def __init__(self, smooth: float = 1.0) -> None:
        super().__init__()
        if smooth < 0:
            raise SegDistillError(f"Dice needs smooth of at least 0, got {smooth}.")
        self.smooth = smooth

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        first = 1 if isinstance(task, Multiclass) else 0
        probs = (task.probabilities(logits) * task.valid(mask))[:, first:].flatten(2)
        truth = task.targets(mask)[:, first:].flatten(2) * task.valid(mask).flatten(2)
        overlap = 2 * (probs * truth).sum(dim=2) + self.smooth
        total = probs.sum(dim=2) + truth.sum(dim=2) + self.smooth
        nothing = total == 0
        return 1 - (overlap / total.masked_fill(nothing, 1)).masked_fill(nothing, 1).mean(dim=1)
