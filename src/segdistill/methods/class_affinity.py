"""Class affinity: which classes the network confuses or sees together."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod
from segdistill.methods.parts.class_maps import class_probabilities
from segdistill.methods.parts.directions import unit


class ClassAffinity(PairMethod):
    r"""Match which classes share their pixels, by the angle between rows of the affinity of probabilities.

    With $P$ the $C \times HW$ probabilities of an image and $A = P P^\top$:

    $$\underset{n,c}{\mathrm{mean}} \; \big(1 - \cos(A^s_{nc}, A^t_{nc})\big)$$

    A single sigmoid channel stands for the probabilities of background and foreground. The authors' loss is the
    negative cosine, the same up to a constant: a published weight is the weight here (0.1 in LCOV-Net's training).
    Their code works for batches of two only.

    Args:
        weight: Factor in the total loss.
    """

    paper = (
        "Zhao et al., Efficient Multi-Organ Segmentation From 3D Abdominal CT Images With Lightweight Network and "
        "Knowledge Distillation, IEEE TMI 2023"
    )

    def __init__(self, weight: float = 1.0) -> None:
        super().__init__("logits", weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (unit(self.affinity(x), dim=2) for x in (student, teacher))
        # Half the squared distance of unit vectors is one less their cosine, and exactly zero for equal ones.
        return (s - t).square().sum(dim=2).mean() / 2

    def affinity(self, logits: Tensor) -> Tensor:
        """Mean product of the probabilities of two classes, `(B, C, C)`."""
        p = class_probabilities(self.task, logits).flatten(2)
        return p @ p.transpose(1, 2) / p.shape[2]
