"""Cross-entropy."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import SegDistillError
from segdistill.losses.base import Loss, mean_over_valid
from segdistill.tasks import Multiclass, Task


class CE(Loss):
    """Cross-entropy of the softmax over classes, mean over the pixels that count.

    Raises:
        SegDistillError: If the task has sigmoid channels.
    """

    def per_image(self, logits: Tensor, mask: Tensor, task: Task) -> Tensor:
        if not isinstance(task, Multiclass):
            raise SegDistillError(
                "CE needs a Multiclass task. For Binary and Multilabel take BCE or DiceBCE."
            )
        values = -(task.targets(mask) * logits.log_softmax(dim=1)).sum(dim=1, keepdim=True)
        return mean_over_valid(values, task.valid(mask))
