"""The convolutional block attention module."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from segdistill.methods.parts.layers import batch_norm, convolution


class CBAM(nn.Module):
    """Weigh a feature's channels, then its positions, by gates learned from its means and maxima.

    Woo et al., CBAM: Convolutional Block Attention Module, ECCV 2018.

    Args:
        channels: Of the feature.
        hidden: Width of the layer between; a sixteenth of the channels in the paper.
        dimensions: Spatial ones.
    """

    def __init__(self, channels: int, hidden: int, *, dimensions: int = 2) -> None:
        super().__init__()
        self.channel = nn.Sequential(nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels))
        self.spatial = nn.Sequential(
            convolution(2, 1, dimensions=dimensions, size=7, bias=False), batch_norm(1, dimensions=dimensions)
        )

    def forward(self, feature: Tensor) -> Tensor:
        weighed = feature * self.channel_gate(feature)
        return weighed * self.spatial_gate(weighed)

    def channel_gate(self, feature: Tensor) -> Tensor:
        """`(B, C, 1, ...)` from 0 to 1."""
        flat = feature.flatten(2)
        gate = (self.channel(flat.mean(dim=2)) + self.channel(flat.amax(dim=2))).sigmoid()
        return gate.view(*gate.shape, *(1,) * (feature.ndim - 2))  # type: ignore[no-any-return]

    def spatial_gate(self, feature: Tensor) -> Tensor:
        """`(B, 1, *spatial)` from 0 to 1."""
        found = torch.cat([feature.amax(dim=1, keepdim=True), feature.mean(dim=1, keepdim=True)], dim=1)
        return self.spatial(found).sigmoid()  # type: ignore[no-any-return]
