"""Inter-class similarity distillation."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod
from segdistill.methods.parts.inter_class import inter_class_distance


class ICSD(PairMethod):
    r"""Match how the classes of an image differ in where they are.

    With $p_i$ the softmax over positions of the logit map of class $i$, and
    $\mathrm{ICS}_{ij} = \mathrm{KL}(p_i \| p_j)$, it is

    $$\underset{n,i,j}{\mathrm{mean}} \; \big(\mathrm{ICS}^s_{nij} - \mathrm{ICS}^t_{nij}\big)^2$$

    the mean over images and all $C^2$ pairs of classes, the diagonal's zeros among them. A single sigmoid channel has
    no other class to differ from: there, background and foreground are the two maps, as log-probabilities. This is the
    inter-class term alone, at a constant weight; `AICSD` is the whole objective.

    The authors' code computes something else (softmax over columns, probabilities in the place of log-probabilities,
    rows of unit length, the batch's images merged), so its published weight of 9500 has no counterpart here.

    Args:
        weight: Factor in the total loss.
    """

    paper = (
        "Mansourian et al., AICSD: Adaptive Inter-Class Similarity Distillation for Semantic Segmentation, "
        "Multimedia Tools and Applications 2025 (arXiv 2308.04243)"
    )

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__("logits", weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return inter_class_distance(self.task, student, teacher)
