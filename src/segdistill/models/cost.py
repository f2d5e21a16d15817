"""Count what a network costs: parameters and multiply-adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from segdistill.taps import Tapped


class Cost(NamedTuple):
    """What one forward pass of one image costs.

    Attributes:
        parameters: Number of parameters.
        macs: Multiply-adds, half of what PyTorch counts as floating point operations.
        size: The image size it was counted at.
    """

    parameters: int
    macs: int
    size: tuple[int, ...]

    @property
    def gmac(self) -> float:
        """Multiply-adds in units of 10**9, as papers give them."""
        return self.macs / 1e9

    def __str__(self) -> str:
        sides = "x".join(map(str, self.size))
        return f"{self.parameters / 1e6:.2f} M parameters, {self.gmac:.2f} GMAC at {sides}"


def cost(net: nn.Module, size: Sequence[int] = (352, 352), *, in_channels: int | None = None) -> Cost:
    """Count parameters and multiply-adds of a network; works on the network itself and leaves it unchanged.

    Args:
        net: A `Tapped` or any other network.
        size: Spatial size of the image. A `Tapped` with a size of its own resizes, and is counted at that.
        in_channels: Channels of the image; by default what the network was built for, else 3.

    Examples:
        >>> cost(nn.Conv2d(3, 8, 3, padding=1), (100, 100))
        Cost(parameters=224, macs=2160000, size=(100, 100))
    """
    shape = (1, in_channels or _channels(net), *size)
    training, counter = {m: m.training for m in net.modules()}, FlopCounterMode(display=False)
    image = torch.zeros(shape, device=next(net.parameters()).device)
    try:
        with counter, torch.no_grad():
            net.eval()(image)
    finally:
        for module, mode in training.items():
            module.training = mode
    parameters = sum(p.numel() for p in net.parameters())
    return Cost(parameters, counter.get_total_flops() // 2, tuple(size))


def _channels(net: nn.Module) -> int:
    spec = net.spec if isinstance(net, Tapped) else None
    return int(spec["in_channels"]) if spec else 3
