"""Cross-guided features, weighted by where they have their energy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import Method
from segdistill.methods.parts.adapters import Adapter
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.hcl import hierarchical_mse
from segdistill.methods.parts.levels import check_ranks, pair_up, to_smaller
from segdistill.methods.parts.limits import check_factors, check_weight
from segdistill.methods.traits import Traits
from segdistill.tasks import Task

#: The student's level and the teacher's, in the order of the factors.
PAIRS = (("low", "low"), ("high", "low"), ("high", "high"), ("low", "high"))


class SPARK(Method):
    r"""Let a low and a high level of the teacher guide both levels of the student.

    $$\sum_{(a, b)} w_{ab} \; \mathrm{HCL}\big(W_{ab}(A^s_a \odot f^s_a), \; A^t_b \odot f^t_b\big), \qquad
    A = \sqrt{HW} \; \frac{\mathrm{mean}_c f_c^2}{\lVert \mathrm{mean}_c f_c^2 \rVert_2}$$

    over the pairs low-low, high-low, high-high and low-high (the student's level first). $A$ is the spatial position
    augmentation: a map of mean square 1 over the positions of an image. HCL is ReviewKD's mean squared difference at
    several scales, at the smaller of the two sizes. Every pair has a trained 1x1 projection $W_{ab}$ of its own.

    This is the cross-guided part alone. The published objective adds KD: 0.08 of this and
    `KD(temperature=4, weight=0.1999)`.

    What the release does otherwise: its augmentation is $20 A / \sqrt{HW}$, which depends on the resolution. A
    published weight $w$ is, for a pair whose teacher's map has $HW$ positions, `w * 400 / HW` here. Its projections are
    made anew in every step and so never trained. They end in a batch norm, which is left out here: it would tie the
    images of a batch to each other, and fix a scale that the teacher's feature does not have. And they are missing
    where the channels agree; here such a projection starts as the identity. The crossed pairs compare different levels,
    so the value is not zero where the student equals the teacher.

    Args:
        low: The shallow level: one name, or a mapping from the student's name to the teacher's.
        high: The deep level, likewise.
        factors: $w$ of the four pairs in the order above; 0 leaves a pair out.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If a level is not exactly one pair of taps, or a factor or the weight will not do.
    """

    paper = (
        "SPARK: Cross-Guided Knowledge Distillation with Spatial Position Augmentation for Medical Image Segmentation "
        "(code: Gavin-xlb/distillib, 2023 or later)"
    )
    traits = Traits("features", zero=False, tiles=False)

    def __init__(
        self,
        low: str | Mapping[str, str] = "low",
        high: str | Mapping[str, str] = "high",
        factors: Sequence[float] = (1.0, 0.6, 1.0, 0.5),
        weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_weight("SPARK", weight)
        if len(factors) != len(PAIRS):
            raise SegDistillError(f"SPARK needs {len(PAIRS)} factors, one per pair, got {list(factors)}.")
        self.factors = {pair: factor for pair, factor in zip(PAIRS, factors, strict=True) if factor != 0}
        check_factors("SPARK", {"-".join(pair): factor for pair, factor in zip(PAIRS, factors, strict=True)})
        levels = {"low": _one("low", low), "high": _one("high", high)}
        self.mine = {level: mine for level, (mine, _) in levels.items()}
        self.theirs = {level: theirs for level, (_, theirs) in levels.items()}
        self.student_taps, self.teacher_taps = tuple(self.mine.values()), tuple(self.theirs.values())
        self.weight = weight
        self.adapters = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        check_ranks("SPARK", student, self.student_taps, teacher, self.teacher_taps)
        for pair in self.factors:
            have, want = student[self.mine[pair[0]]], teacher[self.theirs[pair[1]]]
            self.adapters["-".join(pair)] = Adapter(have.shape[1], want.shape[1], dimensions=have.ndim - 2)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            have = {level: augment(student[tap].float()) for level, tap in self.mine.items()}
            want = {level: augment(teacher[tap].detach().float()) for level, tap in self.theirs.items()}
            return {
                f"SPARK/{a}-{b}": self.weight * factor * self.compare(f"{a}-{b}", have[a], want[b])
                for (a, b), factor in self.factors.items()
            }

    def compare(self, pair: str, student: Tensor, teacher: Tensor) -> Tensor:
        """Distance of two augmented maps after the pair's projection."""
        have: Tensor = self.adapters[pair](student)
        return hierarchical_mse(*to_smaller(have, teacher))


def augment(feature: Tensor) -> Tensor:
    """A feature `(B, C, *spatial)` times its own energy, whose mean square over positions is 1."""
    energy = feature.square().mean(dim=1, keepdim=True)
    flat = unit(energy.flatten(1)) * math.sqrt(energy[0].numel())
    return feature * flat.view_as(energy)


def _one(name: str, level: str | Mapping[str, str]) -> tuple[str, str]:
    pairs = pair_up("SPARK", level)
    if len(pairs) > 1:
        raise SegDistillError(f"SPARK needs one tap as its {name} level, got {list(pairs)}.")
    return next(iter(pairs.items()))
