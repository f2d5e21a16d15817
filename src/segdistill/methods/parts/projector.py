"""The projection that contrastive methods train."""

from __future__ import annotations

from torch import nn


class Projector(nn.Sequential):
    """A trained 1x1 convolution, batch norm, ReLU and another 1x1 convolution: from one width to another.

    Unlike an `Adapter` it never starts as the identity.

    Args:
        channels: In.
        target: Out, and in between.
        dimensions: Spatial ones.
    """

    def __init__(self, channels: int, target: int, *, dimensions: int = 2) -> None:
        convolution = getattr(nn, f"Conv{dimensions}d")
        super().__init__(
            convolution(channels, target, 1, bias=False),
            getattr(nn, f"BatchNorm{dimensions}d")(target),
            nn.ReLU(inplace=True),
            convolution(target, target, 1, bias=False),
        )
