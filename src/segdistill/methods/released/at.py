"""Attention transfer as torchdistill computes it in its mode "paper"."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod, Taps
from segdistill.methods.traits import Traits


class UnsquaredAT(PairMethod, listed=False):
    r"""Attention transfer with the length of the difference, not its square.

    Mean over images of $\|q^s - q^t\|$, the form of the paper's equation 2. The authors' own code squares it, so
    the gradient here does not fade as the student comes close, and weights of one do not fit the other.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor in the total loss.
    """

    paper = "Zagoruyko and Komodakis, Paying More Attention to Attention, ICLR 2017"
    traits = Traits("features")

    def __init__(self, taps: Taps = "high", weight: float = 1.0) -> None:
        super().__init__(taps, weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        s, t = (F.normalize(f.square().sum(dim=1).flatten(1), dim=1) for f in (student, teacher))
        lengths: Tensor = torch.linalg.vector_norm(s - t, dim=1)
        return lengths.mean()
