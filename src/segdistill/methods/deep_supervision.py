"""Labels for the layers in between."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import Method, key
from segdistill.methods.parts.exits import cross_entropy, name_exits
from segdistill.methods.parts.layers import projection
from segdistill.methods.parts.limits import check_weight
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class DeepSupervision(Method):
    r"""Train layers in between on the labels too, through heads of their own. It needs no teacher.

    $$\sum_k \mathrm{CE}\big(H_k f_k, \, y\big)$$

    with trained 1x1 heads $H_k$, which are thrown away after the training. A head decides at its feature's size: the
    labels are averaged over its cells, so no small object is lost. CE is the cross-entropy of the task's distribution,
    mean over labelled pixels (and sigmoid channels) per image, then over images; an image without any label counts as
    zero. The value per exit does not change with batch, size or the number of exits.

    Networks for segmentation commonly have one such head at 0.4 (PSPNet, SKD), which is the default weight.

    Args:
        taps: Layers that get a head.
        weight: Factor of every head's loss.

    Raises:
        SegDistillError: If there are no taps, or the weight is not positive.
    """

    paper = "Lee et al., Deeply-Supervised Nets, AISTATS 2015 (arXiv 1409.5185)"
    traits = Traits("self", labels=True, teacher=False, zero=False)

    def __init__(self, taps: str | Sequence[str] = ("e3", "e4", "e5"), weight: float = 0.4) -> None:
        super().__init__()
        check_weight("DeepSupervision", weight)
        self.student_taps = name_exits("DeepSupervision", taps)
        self.weight = weight
        self.exits = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for tap in self.student_taps:
            x = student[tap]
            self.exits[key(tap)] = projection(x.shape[1], task.channels, dimensions=x.ndim - 2)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            return {
                f"DeepSupervision/{tap}": self.weight
                * cross_entropy(self.exits[key(tap)](student[tap].float()), mask, self.task)
                for tap in self.student_taps
            }
