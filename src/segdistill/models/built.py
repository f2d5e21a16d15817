"""What a builder hands to `load`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from torch import Tensor, nn


class Built(NamedTuple):
    """A network with all that `load` needs to know about it.

    Attributes:
        net: The network.
        mean: Of its training data, for images in [0, 1].
        std: Likewise.
        aliases: Module path by alias.
        rename: Gives the tensors of published checkpoints the network's own names.
    """

    net: nn.Module
    mean: tuple[float, ...]
    std: tuple[float, ...]
    aliases: Mapping[str, str]
    rename: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = dict
