"""The attention term of the DeepLabV3+ project that AICSD grew from, as its code has it."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.traits import Traits


class ColumnAttention(PairMethod, listed=False):
    """`AT`, but every column of the map is brought to unit length, where `AT` does so with the whole map.

    The code normalises a `(B, H, W)` map along its first spatial dimension, a framework's default, where its text
    describes attention transfer, and then takes the mean over positions. So it compares where in each column the energy
    is, forgets which columns have it, and depends on how an image is turned. On the recorded maps its value is 64 times
    that of what the text describes. The project's weight is 100.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Zagoruyko and Komodakis, Paying More Attention to Attention, ICLR 2017"
    traits = Traits("features", dimensions=(2, 3))

    def __init__(self, taps: Taps = "decoder", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (_columns(student) - _columns(teacher)).square().mean()


def _columns(feature: Tensor) -> Tensor:
    return F.normalize(feature.square().mean(dim=1), dim=1)
