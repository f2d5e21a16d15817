"""Camouflage identification: which channels, and which places, of the finest features tell a polyp."""

from __future__ import annotations

import torch
from torch import Tensor, nn

REDUCTION = 16


class CIM(nn.Module):
    """Gate channels, then positions.

    Args:
        channels: Of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels // REDUCTION, 1, bias=False)
        self.excite = nn.Conv2d(channels // REDUCTION, channels, 1, bias=False)
        self.place = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`(B, C, H, W)` to the same shape."""
        x = x * self._channel_gate(x)
        seen = torch.cat([x.mean(dim=1, keepdim=True), x.amax(dim=1, keepdim=True)], dim=1)
        gated: Tensor = x * self.place(seen).sigmoid()
        return gated

    def _channel_gate(self, x: Tensor) -> Tensor:
        pooled = (x.mean(dim=(2, 3), keepdim=True), x.amax(dim=(2, 3), keepdim=True))
        mean, peak = (self.excite(self.squeeze(y).relu()) for y in pooled)
        gate: Tensor = (mean + peak).sigmoid()
        return gate
