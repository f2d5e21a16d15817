"""Overhaul of feature distillation."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.layers import projection
from segdistill.methods.parts.margins import Negatives, final_norm, margins_of_norm
from segdistill.methods.traits import Traits
from segdistill.taps import LOGITS, Tapped
from segdistill.tasks import Task

BATCHES = 8  # in which margins are measured


class OFD(PairMethod):
    r"""Match features before the ReLU, but only what the ReLU lets through.

    The target is $t' = \max(f^t, m_c)$ with the mean $m_c$ of the channel's negative values, and an element that both
    put below zero is left alone: with $s$ the student's feature after a trained 1x1 projection,

    $$\underset{n,c,i}{\mathrm{mean}} \; (s - t')^2 \; [\, s > t' \;\mathrm{or}\; t' > 0 \,]$$

    The margins follow from the batch norm that ends the tapped module of the teacher, as if nothing were added to it:
    a residual block's sum is not seen. Where no norm does (a transformer; `e1` to `e5`, `low` and `high` of smp's
    networks, which are what the encoder hands out and none of its modules), or the teacher is a cache or an ensemble,
    they are the mean of the negative values in a few batches before the training. A tap behind a ReLU, as all encoder
    stages of a ResNet are, has no negative values and needs none; to distil before it, name the norm itself
    (`taps="encoder.layer4.2.bn3"`).

    The authors' code sums over the elements, divides by the batch, by the divider $d$ of a level (8, 4, 2, 1, 1, 16)
    and multiplies by $10^{-5}$: that is `weight = 1e-5 * C * H * W / d` here. It also has a batch norm behind the
    projection; here a bias does its work, so that images do not depend on each other.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Heo et al., A Comprehensive Overhaul of Feature Distillation, ICCV 2019 (arXiv 1904.01866)"
    traits = Traits("features")
    adapts = True

    def __init__(self, taps: Taps = ("e2", "e3", "e4", "high"), weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        self.known: dict[str, Tensor] = {}
        self.measured: dict[str, Negatives] = {}
        self.floors = nn.ModuleDict()

    def examine(self, teacher: nn.Module) -> None:
        if not isinstance(teacher, Tapped):
            return
        for tap in set(self.teacher_taps) - {LOGITS}:
            norm = final_norm(teacher.net.get_submodule(teacher.aliases.get(tap, tap)))
            if norm is not None:
                self.known[tap] = margins_of_norm(norm.weight, norm.bias)

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for mine, theirs in self.pairs.items():
            self.floors[key(mine)] = Floor(self._margins(mine, theirs, teacher[theirs]))
        self.preparation = BATCHES if self.measured else 0

    def prepare(self, batches: Iterable[tuple[Output, Tensor]]) -> None:
        for teacher, _ in batches:
            for mine, negatives in self.measured.items():
                negatives.add(teacher[self.pairs[mine]])
        for mine, negatives in self.measured.items():
            self.floors[key(mine)].margin.copy_(negatives.margins)  # type: ignore[operator]

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return projection(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        have, want = super().aligned(tap, student, teacher)
        return have, self.floors[key(tap)](want)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        counts = (student > teacher) | (teacher > 0)
        return ((student - teacher).square() * counts).mean()

    def _margins(self, mine: str, theirs: str, feature: Tensor) -> Tensor:
        known = self.known.get(theirs)
        if known is not None and len(known) == feature.shape[1]:
            return known.to(feature.device)
        self.measured[mine] = Negatives(feature)
        return self.measured[mine].margins


class Floor(nn.Module):
    """Raise a feature to at least a margin per channel.

    Args:
        margin: `(C,)`.
    """

    margin: Tensor

    def __init__(self, margin: Tensor) -> None:
        super().__init__()
        self.register_buffer("margin", margin)

    def forward(self, feature: Tensor) -> Tensor:
        return torch.maximum(feature, self.margin.view(-1, *(1,) * (feature.ndim - 2)))
