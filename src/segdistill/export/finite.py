"""Refuse numbers that nothing can be made of."""

from __future__ import annotations

import torch
from torch import Tensor

from segdistill.core import SegDistillError


def check_finite(logits: Tensor, *, lacks: str, name: str | None = None) -> None:
    """Refuse logits that are not finite: NaN is above no threshold, so it would pass for background.

    Args:
        logits: Of one image or several.
        lacks: What they cannot have, such as a mask.
        name: Of the image, where it is known.

    Raises:
        SegDistillError: Naming the image.
    """
    if not torch.isfinite(logits).all():
        whom = "" if name is None else f"{name!r} "
        raise SegDistillError(
            f"The network gives {whom}logits that are not finite, and NaN has no {lacks}. Take other weights, or train "
            f"with a smaller lr or precision '32'."
        )
