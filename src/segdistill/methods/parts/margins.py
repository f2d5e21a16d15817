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


def margins_of_values(feature: Tensor) -> Tensor:
    """Mean of the negative values of `(B, C, *spatial)` by channel; zero for a channel that has none."""
    values = feature.detach().float().movedim(1, 0).flatten(1)
    negative = values < 0
    return values.clamp_max(0).sum(dim=1) / negative.sum(dim=1).clamp_min(1)


def final_norm(module: nn.Module) -> _BatchNorm | None:
    """The batch norm that ends a module, whatever follows without parameters, such as a ReLU; `None` if none does."""
    if isinstance(module, _BatchNorm):
        return module if module.affine else None
    for child in reversed(list(module.children())):
        if any(True for _ in child.parameters()):
            return final_norm(child)
    return None
