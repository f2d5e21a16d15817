"""An exponential moving average of the student."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class EMA:
    """Average the weights over the last steps: a smoother student at no cost in deployment.

    The decay grows with the steps, `min(decay, (1 + n) / (10 + n))`, so the average forgets its start quickly.
    Batch norm's statistics are averaged too, its counters are copied.

    Args:
        model: What to follow; it is copied.
        decay: Share of the past in each step.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take a step towards a model."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        mine, theirs = _tensors(self.model), _tensors(model)
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n] for n in floats], 1 - decay)
        for name in mine.keys() - set(floats):
            mine[name].copy_(theirs[name])


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, each once: a shared one must not move twice."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}
