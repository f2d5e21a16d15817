"""Label smoothing: the baseline of every distillation."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.labelled import mean_over_labelled
from segdistill.methods.parts.limits import check_at_least, check_share
from segdistill.methods.parts.virtual_teacher import virtual_logits
from segdistill.methods.traits import Traits


class LabelSmoothing(PairMethod):
    r"""Take away a little certainty from the labels. What a teacher gains beyond this is knowledge.

    $$\mathrm{mean} \; \mathrm{KL}\big((1 - \epsilon) \, y + \epsilon / K \,\|\, p^s\big)$$

    with one-hot labels $y$ of $K$ outcomes: the classes, or yes and no of a sigmoid channel. It is the cross-entropy to
    smoothed labels less their constant entropy, so that its minimum is zero. The mean over labelled pixels is taken per
    image, then over the images; an image without any label counts as zero.

    It comes on top of the supervised loss; to train on smoothed labels alone, as the paper does, set `task_weight=0`.
    Where code spreads $\epsilon$ over the other classes only, as Tf-KD's does, its $\epsilon$ is
    `smoothing = epsilon * K / (K - 1)` here.

    Args:
        smoothing: $\epsilon$, the share of probability that is spread evenly over all outcomes.
        weight: Factor in the total loss.
        task_weight: Factor of the supervised loss.

    Raises:
        SegDistillError: If the smoothing is not between 0 and 1, or the task's weight negative.
    """

    paper = "Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016 (arXiv 1512.00567)"
    traits = Traits("self", labels=True, teacher=False, zero=False)

    def __init__(self, smoothing: float = 0.1, weight: float = 1.0, task_weight: float = 1.0) -> None:
        super().__init__("logits", weight)
        check_share("LabelSmoothing", smoothing=smoothing)
        check_at_least("LabelSmoothing", 0, task_weight=task_weight)
        self.smoothing, self.task_weight = smoothing, task_weight

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        s = self.task.log_probs(student)
        outcomes = s.shape[1]
        confidence = 1 - self.smoothing * (outcomes - 1) / outcomes
        t = self.task.log_probs(virtual_logits(mask, self.task, confidence))
        return mean_over_labelled(kl(s, t, dim=1), self.task.valid(mask))
