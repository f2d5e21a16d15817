"""Bring a student's feature and a teacher's to one shape."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import SegDistillError
from segdistill.taps import resize

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_POOLS = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d, 3: F.adaptive_avg_pool3d}


class Adapter(nn.Module):
    """A trained 1x1 projection of the student's channels onto the teacher's.

    It starts as the identity where the channels agree, so equal features have distance zero.

    Args:
        channels: Of the student, in.
        target: Of the teacher, out.
        dimensions: Spatial ones.
    """

    def __init__(self, channels: int, target: int, *, dimensions: int = 2) -> None:
        super().__init__()
        if dimensions not in _CONVOLUTIONS:
            raise SegDistillError(
                f"An adapter needs a feature of 1 to 3 spatial dimensions, got {dimensions}."
            )
        self.project = _CONVOLUTIONS[dimensions](channels, target, 1, bias=False)
        if channels == target:
            nn.init.dirac_(self.project.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.project(x)  # type: ignore[no-any-return]


def match_size(x: Tensor, size: Sequence[int]) -> Tensor:
    """Bring `(B, C, *spatial)` to another size: mean over cells where it shrinks, linear where it grows."""
    if tuple(x.shape[2:]) == tuple(size):
        return x
    smaller = tuple(min(have, want) for have, want in zip(x.shape[2:], size, strict=True))
    return resize(_POOLS[len(size)](x, smaller), size)  # type: ignore[arg-type]
