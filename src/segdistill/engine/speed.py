"""How fast a network is by itself: no reading, no resizing, no drawing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import torch
from torch import Tensor

from segdistill import devices
from segdistill.taps import Tapped

WARM_UP, PASSES, FEWEST = 3, 20, 3


@dataclass(frozen=True)
class Speed:
    """Frames per second, and how they were measured.

    Attributes:
        seconds: Median of one pass.
        passes: How many were timed.
        size: What the network saw, in pixels.
        device: Where it ran.
        threads: Of the processor; they do not matter on a GPU.
    """

    seconds: float
    passes: int
    size: tuple[int, ...]
    device: str
    threads: int

    @property
    def fps(self) -> float:
        """Images per second, one after the other."""
        return 1 / self.seconds

    @property
    def how(self) -> str:
        """The way of measuring, in half a sentence."""
        where = (
            f"{self.device}, {self.threads} thread{'s'[: self.threads > 1]}"
            if self.device == "cpu"
            else self.device
        )
        return (
            f"the network alone on one image at {'x'.join(map(str, self.size))}, "
            f"median of {self.passes} passes after warming up, {where}"
        )


@torch.inference_mode()
def speed(tapped: Tapped, image: Tensor, *, budget: float = 5.0) -> Speed:
    """Time single images through a network, which is left in evaluation mode.

    Args:
        tapped: The network; preprocessing is not timed.
        image: `(C, *spatial)` in [0, 1]; only its size matters, and that not if the network has one.
        budget: Seconds after which no further pass is begun, once there are enough for a median.
    """
    x = tapped.eval().preprocess(image[None].to(tapped.mean.device))
    begin = time.perf_counter()
    times: list[float] = []
    while len(times) < WARM_UP + PASSES and (len(times) <= FEWEST or time.perf_counter() - begin < budget):
        times.append(_pass(tapped, x))
    timed = times[min(WARM_UP, len(times) - FEWEST) :]
    device = devices.describe(x.device)
    return Speed(median(timed), len(timed), tuple(x.shape[2:]), device, torch.get_num_threads())


def _pass(tapped: Tapped, x: Tensor) -> float:
    start = time.perf_counter()
    tapped.net(x)
    devices.wait_for(x.device)
    return time.perf_counter() - start
