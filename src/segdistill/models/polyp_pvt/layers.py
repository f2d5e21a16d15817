"""The one layer that all parts of Polyp-PVT's decoder are made of."""

from __future__ import annotations

from torch import nn


def conv_norm(channels: int, out: int, kernel: int = 3) -> nn.Sequential:
    """A convolution that keeps the size, and batch norm. There is no activation behind it."""
    conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out))
