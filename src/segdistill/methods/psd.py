"""Pixel-wise similarity of double similarity distillation."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.adapters import match_size
from segdistill.methods.traits import Traits
from segdistill.taps import LOGITS

# The difference of two unit vectors below this length is rounding, not a direction.
_ROUNDING = 1e-4


class PSD(PairMethod):
    r"""Match how the attention of a network moves between its levels.

    With $q_l = \mathrm{flatten}(\mathrm{mean}_c f_{lc}^2)$ of unit length, and $d_{kl} = q_k - q_l$ of unit length
    again:

    $$\underset{n}{\mathrm{mean}} \; \underset{k < l}{\mathrm{mean}} \; \sum_i \big(d^s_{nkli} - d^t_{nkli}\big)^2$$

    over all pairs of levels, the logits being the last one. All maps are brought to the size of the student's
    first level. CIRKD's benchmark takes the mean over the $HW$ positions too: its weight of 1000 is
    `weight = 1000 / HW` here.

    Args:
        taps: Levels to compare besides the logits: one name, several, or a mapping from the student's names to
            the teacher's.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If there is no level besides the logits.
    """

    paper = "Feng et al., Double Similarity Distillation for Semantic Image Segmentation, IEEE TIP 2021"
    traits = Traits("features")

    def __init__(self, taps: Taps = ("low", "high"), weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        self.pairs = {**self.pairs, LOGITS: LOGITS}
        if len(self.pairs) < 2:
            raise SegDistillError(
                "PSD compares features with the logits, but got no feature. Name one in taps."
            )
        self.student_taps, self.teacher_taps = tuple(self.pairs), tuple(self.pairs.values())

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            size = student[self.student_taps[0]].shape[2:]
            s = moves([energy(student[tap].float(), size) for tap in self.student_taps])
            t = moves([energy(teacher[tap].detach().float(), size) for tap in self.teacher_taps])
            return {"PSD/levels": self.weight * (s - t).square().sum(dim=2).mean()}


def energy(feature: Tensor, size: torch.Size) -> Tensor:
    """Unit-length map of a feature, `(B, positions)`."""
    return F.normalize(match_size(feature.square().mean(dim=1, keepdim=True), size).flatten(1), dim=1)


def moves(maps: list[Tensor]) -> Tensor:
    """Unit-length difference of every two maps, `(B, pairs, positions)`."""
    differences = torch.stack([one - other for one, other in combinations(maps, 2)], dim=1)
    return F.normalize(differences, dim=2, eps=_ROUNDING)
