"""Cascaded fusion: the three deeper stages, from the deepest up."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.models.polyp_pvt.layers import conv_norm


class CFM(nn.Module):
    """Bring three stages of the same width to the size of the finest of them.

    The original doubles sizes; here a stage is brought to the size of the next finer one, which is the same thing
    where the image's sides are multiples of 32, and works for all others.

    Args:
        width: Channels of every stage and of the result.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.deep_to_middle = conv_norm(width, width)
        self.deep_to_fine = conv_norm(width, width)
        self.middle_to_fine = conv_norm(width, width)
        self.deep_beside_middle = conv_norm(width, width)
        self.middle = conv_norm(2 * width, 2 * width)
        self.middle_beside_fine = conv_norm(2 * width, 2 * width)
        self.fine = conv_norm(3 * width, 3 * width)
        self.out = conv_norm(3 * width, width)

    def forward(self, fine: Tensor, middle: Tensor, deep: Tensor) -> Tensor:
        """Stages of stride 8, 16 and 32 to one map of stride 8."""
        deep_up = enlarge(deep, middle)
        gated_middle = self.deep_to_middle(deep_up) * middle
        gated_fine = (
            self.deep_to_fine(enlarge(deep_up, fine)) * self.middle_to_fine(enlarge(middle, fine)) * fine
        )
        x = self.middle(torch.cat([gated_middle, self.deep_beside_middle(deep_up)], dim=1))
        x = self.fine(torch.cat([gated_fine, self.middle_beside_fine(enlarge(x, fine))], dim=1))
        result: Tensor = self.out(x)
        return result


def enlarge(x: Tensor, like: Tensor) -> Tensor:
    """Resize to another map's size, corners on corners."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=True)
