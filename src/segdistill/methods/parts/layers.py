"""Layers for maps of one to three spatial dimensions, of which the trained parts of methods are made."""

from __future__ import annotations

from torch import nn

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_NORMS = {1: nn.BatchNorm1d, 2: nn.BatchNorm2d, 3: nn.BatchNorm3d}


def convolution(
    channels: int, target: int, *, dimensions: int, size: int = 1, bias: bool = True
) -> nn.Module:
    """Make a convolution that keeps the size of the map.

    Args:
        channels: In.
        target: Channels out.
        dimensions: Spatial ones.
        size: Of the kernel, odd.
        bias: Leave it out before a norm.
    """
    return _CONVOLUTIONS[dimensions](channels, target, size, padding=size // 2, bias=bias)


def projection(channels: int, target: int, *, dimensions: int) -> nn.Module:
    """Make a 1x1 convolution with bias that starts as the identity where the channels agree."""
    layer = _CONVOLUTIONS[dimensions](channels, target, 1)
    if channels == target:
        nn.init.dirac_(layer.weight)
        nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def batch_norm(channels: int, *, dimensions: int) -> nn.Module:
    """Make a batch norm."""
    return _NORMS[dimensions](channels)
