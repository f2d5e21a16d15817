"""Methods that compare the positions of a map need more than one."""

from __future__ import annotations

from torch import Tensor

from segdistill.core import SegDistillError


def check_positions(method: str, tap: str, feature: Tensor) -> None:
    """Refuse a map of one position, whose loss would always be zero.

    Args:
        method: That asks, for the message.
        tap: Where the map comes from.
        feature: `(B, C, *spatial)`, as it is compared.

    Raises:
        SegDistillError: Saying what would do.
    """
    if feature[0, 0].numel() == 1:
        raise SegDistillError(
            f"{method} compares positions, but tap {tap!r} leaves only one. Choose a tap of a larger map."
        )
