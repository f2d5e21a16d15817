"""AICSD's inter-class term as released."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.methods.base import PairMethod
from segdistill.methods.traits import Traits


class ReleasedICSD(PairMethod, listed=False):
    r"""`ICSD` as its authors' code computes it.

    It differs from the paper in that the softmax runs over the rows of each column only; that the divergence is
    taken of probabilities where log-probabilities are due, so that with sums over all images, divided by their number
    $N$, $U_{ij} = \sum p_j \log p_j - \sum p_i p_j$; that the part below the diagonal is the mirror of the part above;
    and that rows get unit length. The result is the mean of $(U^s - U^t)^2$, divided by $N$ once more. It takes
    any number of classes but one (the original takes 21), in two dimensions.

    Args:
        weight: Factor in the total loss, as published.
    """

    paper = (
        "Mansourian et al., AICSD: Adaptive Inter-Class Similarity Distillation for Semantic Segmentation, "
        "Multimedia Tools and Applications 2025 (arXiv 2308.04243)"
    )
    traits = Traits(
        relational=True,
        dimensions=(2,),
        tasks=("Multiclass", "Multilabel"),
        reason="with a single class its unit-length row is constant",
    )

    def __init__(self, weight: float = 9500.0) -> None:
        super().__init__("logits", weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return (self.similarity(student) - self.similarity(teacher)).square().mean() / len(student)

    def similarity(self, logits: Tensor) -> Tensor:
        """What the code calls inter-class similarity, `(C, C)`."""
        log_p = logits.log_softmax(dim=2).flatten(2)
        p = log_p.exp()
        cross = torch.einsum("nip,njp->ij", p, p)
        upper = (((p * log_p).sum(dim=(0, 2)) - cross) / len(logits)).triu()
        return F.normalize(upper + upper.triu(1).T, dim=1)
