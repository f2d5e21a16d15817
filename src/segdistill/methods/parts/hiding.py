"""Hide a part of a feature's positions, for methods that let a generator restore it."""

from __future__ import annotations

import torch
from torch import Tensor


def shown(feature: Tensor, hidden: float) -> Tensor:
    """Draw which positions to show, `(B, 1, *spatial)` booleans; at least one of every image.

    On a map of few positions all might be hidden, and the image would teach nothing.

    Args:
        feature: `(B, C, *spatial)`.
        hidden: The part of the positions to hide, from 0 to below 1.
    """
    noise = torch.rand((len(feature), 1, *feature.shape[2:]), device=feature.device)
    return (noise >= hidden) | (noise == noise.flatten(1).amax(dim=1).view(-1, *(1,) * (noise.ndim - 1)))
