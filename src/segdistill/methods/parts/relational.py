"""What methods have in common that compare the images of a batch with each other."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import Output
from segdistill.methods.base import PairMethod


class RelationalMethod(PairMethod, listed=False):
    """Compare what two networks make of the relations between images.

    Each network's features are compared with one another, so channels and sizes of the two need not agree. Every
    batch is counted, since an image alone has no relation: its loss would be zero, in silence.
    """

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        self.traits.check(type(self).__name__, student, self.task)
        return super().forward(student, teacher, mask)

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Bring a pair to float32, each at its own size."""
        return student.float(), teacher.detach().float()


def embedding(feature: Tensor) -> Tensor:
    """One vector per image: the mean over positions, `(B, C)`."""
    return feature.flatten(2).mean(dim=2)
