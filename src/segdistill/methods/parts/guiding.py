"""KDAS's heads, and the symmetrical guiding of one."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from segdistill.core import Output, SegDistillError
from segdistill.methods.parts.adapters import match_size


def check_heads(method: str, heads: Mapping[str, str], student: Output, teacher: Output) -> None:
    """Refuse maps that cannot be logits of one task.

    Raises:
        SegDistillError: If the channels of a head differ between the networks.
    """
    for mine, theirs in heads.items():
        have, want = student[mine].shape[1], teacher[theirs].shape[1]
        if have != want:
            raise SegDistillError(
                f"{method} compares heads, but {mine!r} of the student has {have} channels and {theirs!r} of the "
                f"teacher {want}. Name maps of logits of the same task."
            )


def symmetrical_guiding(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Mean squared difference of $q + q^\top$ for every map $q$, rows and columns of the image changed over.

    The part of the error that changes its sign when rows and columns do is not seen. A map that is not square has
    no such sum: its longer side is first averaged down to the shorter one.

    Args:
        student: `(B, C, H, W)`.
        teacher: Of the same shape.

    Returns:
        A scalar.
    """
    # Both steps are linear: the difference takes them once.
    difference = match_size(student - teacher, [min(student.shape[2:])] * 2)
    return (difference + difference.transpose(2, 3)).square().mean()
