"""Compare features of different dimensions along a space-filling curve."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.adapters import Adapter
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.hilbert_curve import hilbert_order
from segdistill.methods.parts.limits import check_at_least, check_count
from segdistill.methods.traits import Traits
from segdistill.taps import resize
from segdistill.tasks import Task

PAPER = "Qin et al., Hilbert Distillation for Cross-Dimensionality Networks, NeurIPS 2022 (arXiv 2211.04031)"


class Hilbert(PairMethod):
    r"""Teach a student of slices with a teacher of volumes: read both features along a Hilbert curve.

    $$\underset{n,i,c}{\mathrm{mean}} \; \mathrm{smooth}_{L1}\Big(\frac{h^s_{nci}}{\lVert h^s_{n \cdot i} \rVert} -
    \frac{h^t_{nci}}{\lVert h^t_{n \cdot i} \rVert}\Big)$$

    with $h$ the projected feature along the curve; the teacher's sequence is brought to the student's length linearly.
    The curve keeps neighbours together whatever the number of dimensions, so a `(B, C, D, H, W)` volume and a
    `(B, C, H, W)` slice become comparable sequences. Features of equal rank and size are compared position by position.

    Both networks see one batch, so its images hold what the volume needs: `D` neighbouring slices as channels. The
    teacher's module makes a volume of them, `net(image.unsqueeze(1))`, and gives the logits of the middle slice; the
    student's takes that slice, or all of them as channels.

    The features meet in `channels` common channels. The student's projection is trained. The teacher's is a random
    isometry (the identity if it has as many channels), drawn in `build` and kept: if it were trained too, both would
    soon agree on a constant, and say nothing. Where the student has the teacher's channels, its projection starts as
    the same.

    What the release does otherwise: its projections are random, and made anew in every step. Its curve skips and
    repeats cells unless all edges are equal powers of two; here it visits each cell of any box once. It takes the
    nearest position instead of interpolating. A published weight is `weight` here, with 128 channels.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        channels: Common channels.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If there are no channels.
    """

    paper = PAPER
    traits = Traits("features")
    adapts = True

    def __init__(self, taps: Taps = "high", channels: int = 128, weight: float = 1.0) -> None:
        super().__init__(taps, weight)
        check_count(type(self).__name__, channels=channels)
        self.channels = channels
        self.isometries = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for mine, theirs in self.pairs.items():
            fixed = _isometry(teacher[theirs], self.channels).requires_grad_(False)
            self.isometries[key(mine)] = fixed
            if student[mine].shape[1] == teacher[theirs].shape[1]:
                _copy(fixed, self.adapters[key(mine)])

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return _isometry(student, self.channels)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Both as sequences `(B, channels, positions)` of the student's length, and of unit length over channels."""
        have = sequence(self.adapters[key(tap)](student.float()), teacher)
        want = sequence(self.isometries[key(tap)](teacher.detach().float()), student)
        return unit(have), unit(resize(want, have.shape[2:]))

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return F.smooth_l1_loss(student, teacher)

    def _check(self, mine: str, have: Tensor, theirs: str, want: Tensor) -> None:
        if have.ndim == want.ndim:  # features of different ranks are what this is for
            super()._check(mine, have, theirs, want)


class HilbertActivation(Hilbert):
    r"""The same walk with short strides where the teacher is active, and long ones elsewhere.

    $$\underset{n}{\mathrm{mean}} \; \sum_i a_{ni} \; \underset{c}{\mathrm{mean}} \;
    \mathrm{smooth}_{L1}(\ldots)_{nci}, \qquad
    a_{ni} = \frac{\mathrm{mean}_c |f_{nci}|^p}{\sum_j \mathrm{mean}_c |f_{ncj}|^p}$$

    A walk that is denser where a feature is active takes the mean under that density; so it is computed, without
    drawing positions. The activation is the teacher's, along the curve at the student's length.

    It follows the paper's variable-length form. The code of the paper multiplies both features by their own activation
    instead, normalised along one axis only; the unit length over channels then takes all of it away again but for the
    interpolation.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        channels: Common channels.
        power: $p$, as published; 0 is `Hilbert`.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If there are no channels, or the power is negative.
    """

    paper = PAPER

    def __init__(
        self, taps: Taps = "high", channels: int = 128, power: float = 4.0, weight: float = 1.0
    ) -> None:
        super().__init__(taps, channels, weight)
        check_at_least("HilbertActivation", 0, power=power)
        self.power = power

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """As `Hilbert`, with the density as one more channel of the teacher."""
        have, want = super().aligned(tap, student, teacher)
        return have, torch.cat([want, self.density(teacher.detach().float(), student)], dim=1)

    def density(self, feature: Tensor, student: Tensor) -> Tensor:
        """Share of the walk at each of the student's positions, `(B, 1, positions)`."""
        size = feature.abs()
        # A power of a large or a small feature leaves float32; shares do not depend on the scale.
        scale = size.flatten(1).amax(dim=1).clamp(min=1e-30).view(-1, *(1,) * (size.ndim - 1))
        activation = (size / scale).pow(self.power).mean(dim=1, keepdim=True)
        walk = resize(sequence(activation, student), (student[0, 0].numel(),))
        return walk / walk.sum(dim=2, keepdim=True).clamp(min=1e-30)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        target, density = teacher.tensor_split([student.shape[1]], dim=1)
        distance = F.smooth_l1_loss(student, target, reduction="none").mean(dim=1, keepdim=True)
        return (density * distance).flatten(1).sum(dim=1).mean()


def sequence(feature: Tensor, other: Tensor) -> Tensor:
    """A map `(B, C, *spatial)` as the sequence `(B, C, positions)` along the Hilbert curve.

    Two maps of one size need no common order, so each stays in its own.
    """
    if feature.shape[2:] == other.shape[2:]:
        return feature.flatten(2)
    order = hilbert_order(tuple(feature.shape[2:]), feature.device)
    return feature.flatten(2).index_select(2, order)


def _isometry(feature: Tensor, channels: int) -> Adapter:
    """A projection that keeps lengths and angles, or as many directions as there is room for."""
    adapter = Adapter(feature.shape[1], channels, dimensions=feature.ndim - 2).to(feature.device)
    if feature.shape[1] != channels:
        nn.init.orthogonal_(adapter.project.weight)
    return adapter


@torch.no_grad()
def _copy(source: Adapter, target: nn.Module) -> None:
    for ours, theirs in zip(target.parameters(), source.parameters(), strict=True):
        ours.copy_(theirs.view_as(ours))
