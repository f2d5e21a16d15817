"""Attention supervision and symmetrical guiding of a network's heads."""

from __future__ import annotations

import torch
from torch import Tensor

from segdistill.core import Output, unknown
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.guiding import check_heads, symmetrical_guiding
from segdistill.methods.parts.limits import check_positive, check_share
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class KDAS(PairMethod):
    r"""Match the self-attended logits of every head, and guide one head by its symmetrical part.

    A logit map $z$ is $H$ tokens of $W$ numbers, attended to by itself:
    $A(z) = \mathrm{softmax}(z z^\top / \sqrt{W}) \, z$. With $p = \mathrm{softmax}(A(z) / T)$ over positions,

    $$L = (1 - \alpha) L_{task} + \alpha \Big( T^2 \sum_{heads} \underset{n,c}{\mathrm{mean}} \;
    \mathrm{KL}(p^t_{nc} \,\|\, p^s_{nc}) + \mathrm{mean} \, (e^s - e^t)^2 \Big), \qquad e = z + z^\top$$

    every channel by itself; $(1 - \alpha)$ reaches the supervised loss through `task_weight`. A head that is not square
    is averaged to a square for $e$. This is the method of the paper's figure: attention and gradient on both sides, and
    a divergence between distributions. The released code has neither; see `KDASPublished`.

    Args:
        heads: The maps of logits: one name, several, or a mapping from the student's names to the teacher's.
        guide_head: The student's name of the head that is guided; the last one if not given, as in the paper's
            figure. The released code guides the first.
        alpha: Share of the method; the supervised loss has the rest.
        temperature: $T$, softness of the distributions over positions.
        weight: Factor of the method's own terms in the total loss.

    Raises:
        SegDistillError: If alpha is not between 0 and 1, the temperature is not positive, no head has the name, or
            (in `build`) the heads' channels differ.
    """

    paper = (
        "Trinh et al., KDAS: Knowledge Distillation via Attention Supervision Framework for Polyp Segmentation, "
        "ICME 2024 (arXiv 2312.08555)"
    )
    traits = Traits("logits", dimensions=(2,), tiles=False)

    def __init__(
        self,
        heads: Taps = "logits",
        guide_head: str | None = None,
        alpha: float = 0.3,
        temperature: float = 2.0,
        weight: float = 1.0,
    ) -> None:
        super().__init__(heads, weight)
        check_share("KDAS", alpha=alpha)
        check_positive("KDAS", temperature=temperature)
        if guide_head is not None and guide_head not in self.pairs:
            raise unknown("head", guide_head, self.pairs)
        self.guide_head = guide_head or self.student_taps[-1]
        self.alpha, self.temperature = alpha, temperature
        self.task_weight = 1 - alpha

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        check_heads("KDAS", self.pairs, student, teacher)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        factor = self.weight * self.alpha
        with torch.autocast(student.logits.device.type, enabled=False):
            heads = {
                mine: self.aligned(mine, student[mine], teacher[theirs])
                for mine, theirs in self.pairs.items()
            }
            losses = {f"KDAS/{head}": factor * self.compare(*maps) for head, maps in heads.items()}
            return {**losses, "KDAS/guiding": factor * symmetrical_guiding(*heads[self.guide_head])}

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = ((attended(x).flatten(2) / self.temperature).log_softmax(dim=2) for x in (student, teacher))
        return kl(s, t, dim=2).mean() * self.temperature**2


def attended(maps: Tensor) -> Tensor:
    """Maps `(B, C, H, W)` after self-attention among the rows of each."""
    # Written out: the fused form's gradient is off by 11 % at logits of 300 in float32, and NaN at 10^4.
    scores = maps @ maps.mT / maps.shape[3] ** 0.5
    result: Tensor = scores.softmax(dim=3) @ maps
    return result
