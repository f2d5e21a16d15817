"""Binary cross-entropy."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.core import SegDistillError
from segdistill.losses.base import Loss, mean_over_valid
from segdistill.tasks import Multiclass, Task


class BCE(Loss):
    """Cross-entropy of every sigmoid channel, mean over the pixels that count.

    Raises:
        SegDistillError: If the task has a softmax.
    """

    fractions = True

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        if isinstance(task, Multiclass):
            raise SegDistillError("BCE needs a Binary or Multilabel task. For Multiclass take CE or DiceCE.")
        values = F.binary_cross_entropy_with_logits(logits, task.targets(mask), reduction="none")
        return mean_over_valid(values, task.valid(mask))
