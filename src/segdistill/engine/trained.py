"""A network that is ready to use, whether a run made it or somebody published it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from segdistill.engine.run import Run
from segdistill.models import checkpoints, load
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Task

POLYP = Binary(("background", "polyp"))


class Trained(NamedTuple):
    """A network and what its logits mean.

    Attributes:
        net: In evaluation mode, with its preprocessing.
        task: What its logits mean.
        note: What had to be assumed about it; empty for a run, which says everything itself.
    """

    net: Tapped
    task: Task
    note: str = ""


def open_trained(path: str | Path) -> Trained:
    """Open a run folder, or a checkpoint file of a polyp project.

    Raises:
        SegDistillError: If it is neither, is damaged, or holds a network that is not known by its tensors.
    """
    if Path(path).is_dir() or not checkpoints.is_one(path):
        run = Run.load(path)
        return Trained(run.student, run.task)
    found = checkpoints.arguments(path, classes=POLYP.channels)
    return Trained(load(**found).eval(), POLYP, checkpoints.told(path, found))
