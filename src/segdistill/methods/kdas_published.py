"""What KDAS's released code trains."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.parts.guiding import check_heads, symmetrical_guiding
from segdistill.methods.parts.limits import check_share
from segdistill.methods.traits import Traits
from segdistill.tasks import Task


class KDASPublished(PairMethod):
    r"""Guide the first head by its symmetrical part: all that trains the student in KDAS's released code.

    $$L = (1 - \alpha) L_{task} + \alpha \; \mathrm{mean} \, (e^s - e^t)^2, \qquad e = z + z^\top$$

    over every channel of the first head's logits $z$; $(1 - \alpha)$ reaches the supervised loss through `task_weight`.

    The code's other term, attention supervision, attends to the teacher only and takes the student's softmax over a
    single channel, which is one everywhere: a constant, or NaN, without any gradient. It is left out, since nothing
    that it adds can train a network. `KDAS` is the method of the paper. The released code also needs square
    images; here others are averaged to a square first.

    Args:
        head: The map of logits that is guided: one name, or a mapping from the student's name to the teacher's.
        alpha: Share of the method; the supervised loss has the rest.
        weight: Factor of the method's own term in the total loss.

    Raises:
        SegDistillError: If alpha is not between 0 and 1, there is more than one head, or (in `build`) its channels
            differ.
    """

    paper = (
        "Trinh et al., KDAS: Knowledge Distillation via Attention Supervision Framework for Polyp Segmentation, "
        "ICME 2024 (arXiv 2312.08555), code as released"
    )
    traits = Traits("logits", dimensions=(2,))

    def __init__(self, head: Taps = "logits", alpha: float = 0.3, weight: float = 1.0) -> None:
        super().__init__(head, weight)
        if len(self.pairs) > 1:
            raise SegDistillError(f"KDASPublished guides one head, got {list(self.pairs)}. Name the first.")
        check_share("KDASPublished", alpha=alpha)
        self.alpha = alpha
        self.task_weight = 1 - alpha

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        check_heads("KDASPublished", self.pairs, student, teacher)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return self.alpha * symmetrical_guiding(student, teacher)
