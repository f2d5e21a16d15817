"""The attention-based fusion of ReviewKD: a stage of the student meets what its deeper stages found."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segdistill.methods.parts.adapters import match_size
from segdistill.methods.parts.layers import batch_norm, convolution


class Fusion(nn.Module):
    """Mix a feature with the deeper one and bring it to the teacher's channels.

    Args:
        channels: Of the student's feature.
        width: Of what is handed on to the next shallower stage.
        target: Channels of the teacher.
        dimensions: Spatial ones.
        deepest: There is nothing deeper to mix in.
    """

    def __init__(self, channels: int, width: int, target: int, *, dimensions: int, deepest: bool) -> None:
        super().__init__()
        self.enter = nn.Sequential(
            convolution(channels, width, dimensions=dimensions, bias=False),
            batch_norm(width, dimensions=dimensions),
        )
        self.attend = None if deepest else convolution(2 * width, 2, dimensions=dimensions)
        self.leave = nn.Sequential(
            convolution(width, target, dimensions=dimensions, size=3, bias=False),
            batch_norm(target, dimensions=dimensions),
        )

    def forward(self, feature: Tensor, deeper: Tensor | None) -> tuple[Tensor, Tensor]:
        """Fuse.

        Args:
            feature: `(B, channels, *spatial)` of the student.
            deeper: `(B, width, *spatial)` that the next deeper stage handed on.

        Returns:
            `(B, target, *spatial)` to compare with the teacher, and `(B, width, *spatial)` to hand on.
        """
        mixed = self.enter(feature)
        if self.attend is not None and deeper is not None:
            deeper = match_size(deeper, mixed.shape[2:])
            share = self.attend(torch.cat([mixed, deeper], dim=1)).sigmoid()
            mixed = mixed * share[:, :1] + deeper * share[:, 1:]
        return self.leave(mixed), mixed
