"""AttnFD as its authors released it."""

from __future__ import annotations

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.cbam import CBAM
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.layers import batch_norm, convolution
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class AttnFDReleased(PairMethod, listed=False):
    r"""Attention-guided feature distillation with all that is odd in the released code.

    $$\frac{1}{B} \left\| \frac{s}{\|s\|} - \frac{t}{\|t\|} \right\|^2$$

    with lengths over the whole batch, so the value falls as $1/B$. The teacher's attention is a random CBAM that is
    never trained, so the student learns to look where nobody meant it to; its batch norm uses the batch's
    statistics. In the release the student's linear layers of the attention are outside the optimiser, and the
    connectors are trained for one epoch only; here all of the student's side is trained.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss; 2 in the paper.
    """

    paper = (
        "Mansourian et al., Attention-guided Feature Distillation for Semantic Segmentation, WACV 2026 "
        "(arXiv 2403.05451)"
    )
    traits = Traits("features", relational=True, zero=False, tiles=False)
    adapts = True

    def __init__(self, taps: Taps = ("high", "decoder"), weight: float = 2.0) -> None:
        super().__init__(taps, weight)
        self.attentions = nn.ModuleDict()

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for mine, theirs in self.pairs.items():
            self.attentions[key(mine)] = _attention(teacher[theirs]).requires_grad_(False)

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        dimensions, target = student.ndim - 2, teacher.shape[1]
        return nn.Sequential(
            _attention(student),
            convolution(student.shape[1], target, dimensions=dimensions, bias=False),
            batch_norm(target, dimensions=dimensions),
        )

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        have, want = super().aligned(tap, student, teacher)
        return have, self.attentions[key(tap)](want)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (unit(f.flatten(), dim=0) for f in (student, teacher))
        return (s - t).square().sum() / len(student)


def _attention(feature: Tensor) -> CBAM:
    channels = feature.shape[1]
    return CBAM(channels, max(1, channels // 16), dimensions=feature.ndim - 2)
