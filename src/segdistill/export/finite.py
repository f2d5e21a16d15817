"""Refuse numbers that nothing can be made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from segdistill.core import SegDistillError

if TYPE_CHECKING:  # it checks what an exported network says, too
    from torch import Tensor


def check_finite(logits: Tensor | NDArray[Any], *, lacks: str, name: str | None = None) -> None:
    """Refuse logits that are not finite: NaN is above no threshold, so it would pass for background.

    Args:
        logits: Of one image or several.
        lacks: What they cannot have, such as a mask.
        name: Of the image, where it is known.

    Raises:
        SegDistillError: Naming the image.
    """
    # Either kind of array passes NaN on to its extremes.
    if not all(map(math.isfinite, (float(logits.min()), float(logits.max())))):
        whom = "" if name is None else f"{name!r} "
        raise SegDistillError(
            f"The network gives {whom}logits that are not finite, and NaN has no {lacks}. Take other weights, or train "
            f"with a smaller lr or precision '32'."
        )
