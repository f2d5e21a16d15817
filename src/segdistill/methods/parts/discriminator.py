"""A network that tells whose map it sees."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

_CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
SLOPE = 0.1
#: Four halvings, and four positions for the last convolution.
LEAST = 64


class SelfAttention(nn.Module):
    """Let every position see all others; at first it passes its input on, since its factor starts at zero.

    Args:
        channels: In and out.
        dimensions: Spatial ones.
    """

    def __init__(self, channels: int, *, dimensions: int) -> None:
        super().__init__()
        convolution = _CONVOLUTIONS[dimensions]
        narrow = max(1, channels // 8)
        self.query, self.key = (convolution(channels, narrow, 1) for _ in range(2))
        self.value = convolution(channels, channels, 1)
        self.factor = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (each(x).flatten(2) for each in (self.query, self.key, self.value))
        # Written out, since the gradient penalty differentiates twice, which fused attention cannot.
        attention = (query.mT @ key).softmax(dim=2)
        seen: Tensor = value @ attention.mT
        return x + self.factor * seen.view_as(x)


class Discriminator(nn.Module):
    """Score maps `(B, C, *spatial)` of at least 64 positions per edge, `(B,)`: high for one kind, low for the other.

    Four spectrally normalised convolutions of width 4 and stride 2, self-attention after the third and the fourth,
    and a last convolution whose mean over positions is the score. No batch norm: the score of an image must not
    depend on the others, or a gradient penalty per image has no meaning.

    Args:
        channels: Of the maps.
        dimensions: Spatial ones.
        width: Channels of the first convolution; every next one has twice as many.
    """

    def __init__(self, channels: int, *, dimensions: int = 2, width: int = 64) -> None:
        super().__init__()
        convolution, widths = _CONVOLUTIONS[dimensions], [width * 2**n for n in range(4)]
        layers: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(zip([channels, *widths], widths, strict=False)):
            layers += [
                spectral_norm(convolution(inputs, outputs, 4, stride=2, padding=1)),
                nn.LeakyReLU(SLOPE),
            ]
            if index >= 2:
                layers.append(SelfAttention(outputs, dimensions=dimensions))
        self.layers = nn.Sequential(*layers, convolution(widths[-1], 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.layers(x)
        return scores.flatten(1).mean(dim=1)


def slope_penalty(critic: nn.Module, one: Tensor, other: Tensor) -> Tensor:
    r"""How far a critic's slope is from 1 between two batches of maps: mean over images of $(\|\nabla\| - 1)^2$.

    The slope is taken against the root-mean-square distance of maps, $\|\nabla\| = \sqrt{N} \, \|\nabla\|_2$ for maps
    of $N$ entries, so that it does not change with their size or the number of channels.

    Args:
        critic: Scores maps as `(B,)`.
        one: Maps `(B, C, *spatial)`.
        other: As many more; the slope is taken at a random point between the two of each image.
    """
    share = torch.rand(len(one), *[1] * (one.ndim - 1), device=one.device)
    between = torch.lerp(one, other, share).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    steepness: Tensor = slope.flatten(1).norm(dim=1) * slope[0].numel() ** 0.5
    return (steepness - 1).square().mean()
