"""Adaptive inter-class similarity distillation: the teacher leads early, the labels late."""

from __future__ import annotations

import torch
from torch import Tensor

from segdistill.core import Output
from segdistill.methods.base import PairMethod
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.inter_class import inter_class_distance
from segdistill.methods.parts.limits import check_positive, check_share


class AICSD(PairMethod):
    r"""Move from the teacher's pixels to the labels and the similarity of classes as training goes on.

    $$L = \alpha \, (L_{task} + a \, L_{ics}) + (1 - \alpha) \, b \, L_{pi}, \qquad \alpha = \max(progress, floor)$$

    $L_{ics}$ is `ICSD`'s term, $L_{pi}$ is `KD`'s, both in their canonical form; $\alpha$ scales the supervised loss
    through `task_weight`. In the paper $\alpha$ is epoch over epochs, so nothing but $L_{pi}$ trains in the first
    epoch. Here it grows with every step and begins at the floor, since a term of weight zero could not be told from
    one that is broken.

    The released code keeps the adaptive weight in comments, and its 9500 and 10 belong to other reductions:
    $10$ on $L_{pi}$ is `pixel_weight = 10 / C` for $C$ classes; 9500 has no counterpart.

    Args:
        temperature: Softness of the distributions in $L_{pi}$.
        inter_weight: $a$, factor of $L_{ics}$ against the supervised loss.
        pixel_weight: $b$, factor of $L_{pi}$.
        floor: Smallest $\alpha$, the labels' share at the first step.
        weight: Factor of the method's own terms in the total loss.

    Raises:
        SegDistillError: If the temperature or a weight is not positive, or the floor not between 0 and 1.
    """

    paper = (
        "Mansourian et al., AICSD: Adaptive Inter-Class Similarity Distillation for Semantic Segmentation, "
        "Multimedia Tools and Applications 2025 (arXiv 2308.04243)"
    )

    def __init__(
        self,
        temperature: float = 1.0,
        inter_weight: float = 1.0,
        pixel_weight: float = 1.0,
        floor: float = 0.01,
        weight: float = 1.0,
    ) -> None:
        super().__init__("logits", weight)
        check_positive("AICSD", temperature=temperature, inter_weight=inter_weight, pixel_weight=pixel_weight)
        check_share("AICSD", floor=floor)
        self.temperature, self.floor = temperature, floor
        self.inter_weight, self.pixel_weight = inter_weight, pixel_weight

    @property
    def alpha(self) -> float:
        """Share of the labels and of the similarity of classes; the rest is the pixels'."""
        return min(max(self.progress, self.floor), 1.0)

    @property
    def task_weight(self) -> float:  # type: ignore[override]
        """Factor of the supervised loss: it grows with the progress of the training."""
        return self.alpha

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            s, t = self.aligned("logits", student.logits, teacher.logits)
            inter, pixels = inter_class_distance(self.task, s, t), self.pixels(s, t)
        return {
            "AICSD/ics": self.weight * self.alpha * self.inter_weight * inter,
            "AICSD/pi": self.weight * (1 - self.alpha) * self.pixel_weight * pixels,
        }

    def pixels(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Divergence of the class distribution of every pixel."""
        s, t = (self.task.log_probs(x, self.temperature) for x in (student, teacher))
        return kl(s, t, dim=1).mean() * self.temperature**2
