"""How far below zero the negative values of a feature lie on average: the margins of a margin ReLU."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

RARE = 1e-3  # a channel that is negative less often than this gets the margin below
FAR = 3.0  # in standard deviations


def margins_of_norm(weight: Tensor, bias: Tensor) -> Tensor:
    r"""Mean of a batch norm's negative outputs, $E[x \mid x < 0]$ for $x \sim N(b, g^2)$, by channel.

    $$m = b - |g| \, \frac{\varphi(b/|g|)}{\Phi(-b/|g|)}$$

    and $-3|g|$ where negative values are rarer than one in a thousand.

    Args:
        weight: $g$, `(C,)`.
        bias: $b$, `(C,)`.
    """
    deviation = weight.detach().double().abs().clamp_min(1e-12)
    mean = bias.detach().double()
    z = mean / deviation
    negative: Tensor = torch.special.ndtr(-z)
    density = (-z.square() / 2).exp() / math.sqrt(2 * math.pi)
    margin = mean - deviation * density / negative.clamp_min(RARE)
    return margin.where(negative > RARE, -FAR * deviation).float()


class Negatives:
    """The negative values of a feature by channel, over any number of batches.

    Args:
        feature: The first batch, `(B, C, *spatial)`.
    """

    def __init__(self, feature: Tensor) -> None:
        self.sums = torch.zeros(feature.shape[1], device=feature.device)
        self.counts = torch.zeros_like(self.sums)
        self.add(feature)

    def add(self, feature: Tensor) -> None:
        """Add a batch."""
        values = feature.detach().float().movedim(1, 0).flatten(1)
        self.sums += values.clamp_max(0).sum(dim=1)
        self.counts += (values < 0).sum(dim=1)

    @property
    def margins(self) -> Tensor:
        """Their mean, `(C,)`; zero for a channel that has none."""
        return self.sums / self.counts.clamp_min(1)


def final_norm(module: nn.Module) -> _BatchNorm | None:
    """The batch norm that ends a module, whatever follows without parameters, such as a ReLU; `None` if none does."""
    if isinstance(module, _BatchNorm):
        return module if module.affine else None
    for child in reversed(list(module.children())):
        if any(True for _ in child.parameters()):
            return final_norm(child)
    return None
