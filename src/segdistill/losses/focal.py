"""Focal loss."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.losses.base import Loss, mean_over_valid
from segdistill.tasks import Multiclass, Task


class Focal(Loss):
    r"""Cross-entropy that pays less attention to pixels that are easy: $-(1-p_t)^\gamma \log p_t$.

    Args:
        gamma: How much less; 0 is plain cross-entropy.

    Raises:
        SegDistillError: If `gamma` is negative.
    """

    paper = "Lin et al., Focal Loss for Dense Object Detection, ICCV 2017"

    def __init__(self, gamma: float = 2.0) -> None:
        super().__init__()
        if gamma < 0:
            raise SegDistillError(f"Focal needs gamma of at least 0, got {gamma}.")
        self.gamma = gamma

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        log_probs, truth = task.log_probs(logits), task.targets(mask)
        if isinstance(task, Multiclass):
            log_pt = (log_probs[:, :, 0] * truth).sum(dim=1, keepdim=True)
        else:
            log_pt = log_probs[:, 1] * truth + log_probs[:, 0] * (1 - truth)
        return mean_over_valid(-((1 - log_pt.exp()) ** self.gamma) * log_pt, task.valid(mask))
