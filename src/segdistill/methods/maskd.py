"""Masked distillation with receptive tokens."""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping

from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import PairMethod, Taps, key
from segdistill.methods.parts.limits import check_count
from segdistill.methods.parts.mask_tokens import Lesson, Tokens
from segdistill.methods.traits import Traits
from segdistill.taps import LOGITS
from segdistill.tasks import Task

EPS = 1e-5  # positions: keeps a mask that is nowhere from dividing by zero


class MasKD(PairMethod):
    r"""Match features within regions that matter, each region counting alike, however small.

    Tokens $e_k$ mark regions of the teacher's feature, $m_k = \sigma(\langle e_k, f^t \rangle)$:

    $$\underset{n,k,c}{\mathrm{mean}} \; \frac{\sum_i m_{ki}^2 \, (f^s_{ci} - f^t_{ci})^2}{\sum_i m_{ki}}$$

    The tokens are learned from the teacher and the labels before the student's training, then frozen: masks should
    keep what the labels need and overlap little. A trained 1x1 projection brings features (not logits) to the
    teacher's channels. The authors' code has a factor of 1/2, so a published weight $w$ is `weight = w / 2` here;
    for segmentation it takes the logits, plus 0.4 times an auxiliary head's. Its first stage lays the sum of the masks
    over the feature, ours their union (each value between 0 and 1, so the logits cannot grow), and runs far longer.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        tokens: How many regions.
        preparation: Batches from which the tokens are learned.
        weight: Factor in the total loss.

    Raises:
        SegDistillError: If there are no tokens, or a negative number of batches.
    """

    paper = "Huang et al., Masked Distillation with Receptive Tokens, ICLR 2023 (arXiv 2205.14589)"
    traits = Traits("features")
    adapts = True

    def __init__(
        self, taps: Taps = LOGITS, tokens: int = 8, preparation: int = 50, weight: float = 1.0
    ) -> None:
        super().__init__(taps, weight)
        check_count("MasKD", tokens=tokens)
        check_count("MasKD", 0, preparation=preparation)
        self.count, self.preparation = tokens, preparation
        self.tokens: MutableMapping[str, Tokens] = nn.ModuleDict()  # type: ignore[assignment]

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        if LOGITS in self.adapters:  # both mean the same already
            del self.adapters[LOGITS]
        for mine, theirs in self.pairs.items():
            self.tokens[key(mine)] = Tokens(teacher[theirs], self.count)

    def prepare(self, batches: Iterable[tuple[Output, Tensor]]) -> None:
        lessons: dict[str, Lesson] = {}
        for teacher, mask in batches:
            for mine, theirs in self.pairs.items():
                if mine not in lessons:
                    lessons[mine] = self._lesson(mine, teacher[theirs])
                lessons[mine].step(teacher[theirs], mask)

    def compare_at(self, tap: str, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Mean squared difference of two `(B, C, *spatial)` within every region."""
        masks: Tensor = self.tokens[key(tap)](teacher)
        errors = (student - teacher).square().flatten(2)
        sums = masks.square() @ errors.mT
        return (sums / (masks.sum(dim=2, keepdim=True) + EPS)).mean()

    def _lesson(self, tap: str, feature: Tensor) -> Lesson:
        return Lesson(self.tokens[key(tap)], feature, self.task, head=tap != LOGITS)
