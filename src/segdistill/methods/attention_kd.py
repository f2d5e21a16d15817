"""Attention transfer with a high power."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.hlfd_terms import PAPER, attention_distance
from segdistill.methods.parts.levels import to_smaller
from segdistill.methods.traits import Traits


class AttentionKD(PairMethod):
    r"""Match where a feature has its energy, with a power that leaves the strongest positions only.

    $$\underset{n}{\mathrm{mean}} \; \lVert q^s_n - q^t_n \rVert^2, \qquad
    q = \frac{\mathrm{mean}_c f_c^4}{\lVert \mathrm{mean}_c f_c^4 \rVert_2}$$

    at the smaller of the two sizes. This is the paper's baseline `attn_kd`; its published weight of 1 is `weight = 1`.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = PAPER
    traits = Traits("features")

    def __init__(self, taps: Taps = "e5", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        return to_smaller(student.float(), teacher.detach().float())

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return attention_distance(student, teacher)
