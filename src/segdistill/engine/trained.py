"""A network that is ready to use, whether a run made it or somebody published it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch

from segdistill import devices
from segdistill.engine.run import Run
from segdistill.export import TorchPredictor
from segdistill.models import checkpoints, load
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Task

POLYP = Binary(("background", "polyp"))


class Trained(NamedTuple):
    """A network and what its logits mean.

    Attributes:
        net: In evaluation mode, with its preprocessing, on the device it is to run on.
        task: What its logits mean.
        note: What had to be assumed about it; empty for a run, which says everything itself.
    """

    net: Tapped
    task: Task
    note: str = ""

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return self.net.mean.device

    @property
    def place(self) -> str:
        """The same in words, to stand beside what is measured there."""
        return devices.describe(self.device)

    def predictor(self) -> TorchPredictor:
        """The network behind the call that segments an image; it stays where it lies."""
        return TorchPredictor(self.net, self.task, device=self.device)


def open_trained(path: str | Path, *, device: str = "cpu") -> Trained:
    """Open a run folder, or a checkpoint file of a polyp project.

    Args:
        path: The folder or the file.
        device: Where it is to run: `cpu`, `cuda`, `cuda:1`, `mps`, or `auto` for the fastest that is there.

    Raises:
        SegDistillError: If it is neither, is damaged, or holds a network that is not known by its tensors; if
            the device is not there.
    """
    place = devices.find_device(device)
    if Path(path).is_dir() or not checkpoints.is_one(path):
        run = Run.load(path)
        return Trained(run.student.to(place), run.task)
    found = checkpoints.arguments(path, classes=POLYP.channels)
    return Trained(load(**found).eval().to(place), POLYP, checkpoints.told(path, found))
