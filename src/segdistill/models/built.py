"""What a builder hands to `load`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from torch import nn


class Built(NamedTuple):
    """A network with all that `Tapped` needs to know about it."""

    net: nn.Module
    mean: tuple[float, ...]
    std: tuple[float, ...]
    aliases: Mapping[str, str]
