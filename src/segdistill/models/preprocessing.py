"""Mean and standard deviation that an encoder's ImageNet weights expect, for images in [0, 1]."""

from __future__ import annotations

from itertools import cycle, islice
from typing import NamedTuple


class Statistics(NamedTuple):
    """Per-channel mean and standard deviation of a network's training data."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


IMAGENET = Statistics((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = Statistics((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
DPN = Statistics((124 / 255, 117 / 255, 104 / 255), (1 / (0.0167 * 255),) * 3)

#: smp keeps these numbers on its hub only, so the exceptions to ImageNet's own are listed here.
SMP_EXCEPTIONS = {"dpn": DPN, "inception": HALF, "xception": HALF}


def encoder_statistics(encoder: str, in_channels: int = 3) -> Statistics:
    """Look up the statistics of an smp or timm (`tu-`) encoder; needs no network.

    They hold for random weights as well, so that a network built without weights fits a file loaded later.

    Args:
        encoder: Name as smp knows it.
        in_channels: Channels of the image. One channel gets the mean of the three; more repeat them in turn,
            which is also how smp and timm adapt the first convolution.
    """
    return _spread(_timm(encoder[3:]) if encoder.startswith("tu-") else _smp(encoder), in_channels)


def imagenet_statistics(in_channels: int = 3) -> Statistics:
    """ImageNet's own statistics."""
    return _spread(IMAGENET, in_channels)


def _smp(encoder: str) -> Statistics:
    return next((s for prefix, s in SMP_EXCEPTIONS.items() if encoder.startswith(prefix)), IMAGENET)


def _timm(name: str) -> Statistics:
    import timm

    settings = timm.get_pretrained_cfg(name)
    return Statistics(tuple(settings.mean), tuple(settings.std)) if settings else IMAGENET


def _spread(statistics: Statistics, channels: int) -> Statistics:
    if channels == 1:
        return Statistics(*((sum(values) / len(values),) for values in statistics))
    return Statistics(*(tuple(islice(cycle(values), channels)) for values in statistics))
