"""How the classes of one image differ in where they are: the mathematics of ICSD and AICSD."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.parts.class_maps import class_logits
from segdistill.tasks import Task


def inter_class_distance(task: Task, student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared difference of two networks' similarities of classes, from their logits `(B, C, *spatial)`."""
    s, t = (inter_class_similarity(class_logits(task, x)) for x in (student, teacher))
    return (s - t).square().mean()


def inter_class_similarity(logits: Tensor) -> Tensor:
    r"""Divergences $\mathrm{KL}(p_i \| p_j)$ between the distributions of all classes over positions.

    Args:
        logits: `(B, C, *spatial)`; a softmax over positions makes each channel a distribution.

    Returns:
        `(B, C, C)`, with zeros on the diagonal.
    """
    log_p = logits.flatten(2).log_softmax(dim=2)
    cross = log_p.exp() @ log_p.transpose(1, 2)
    return cross.diagonal(dim1=1, dim2=2).unsqueeze(2) - cross
