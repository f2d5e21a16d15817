"""Everything a training needs to go on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from segdistill.core import SegDistillError
from segdistill.export import files

VERSION = 1
_PARTS = {"trainable", "optimizer", "ema", "scaler", "progress"}


@dataclass
class Progress:
    """Where a training stands.

    Attributes:
        epoch: The epoch under way, from 0.
        batch: Batches of it that are done.
        step: Optimiser steps done in all.
        seconds: Time spent training so far.
        sums: Sum of every term over the epoch's batches so far.
        auxiliary: Sum of every auxiliary network's losses over the epoch's steps so far.
        best: Best validation score so far and its epoch.
        stale: Epochs since then.
        step0: What the probe found before the first step.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    auxiliary: dict[str, float] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    stale: int = 0
    step0: dict[str, dict[str, float]] = field(default_factory=dict)


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint, in one piece or not at all."""
    files.write(path, lambda temporary: torch.save({"version": VERSION, **state}, temporary))


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint. Only tensors and plain values are read: a file cannot run code.

    Raises:
        SegDistillError: If it is missing, damaged or of another version.
    """
    if not path.is_file():
        raise SegDistillError(f"There is no checkpoint {path} to resume from. Start without --resume.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file, and advises to read it unsafely
        raise _damaged(path) from error
    if not isinstance(state, dict) or "version" not in state:
        raise _damaged(path)
    if state["version"] != VERSION:
        raise SegDistillError(
            f"The checkpoint {path} is of version {state['version']}, this is {VERSION}. Resume with the version "
            f"of segdistill that began the run, or take another --out."
        )
    if not state.keys() >= _PARTS:
        raise _damaged(path)
    return state


def _damaged(path: Path) -> SegDistillError:
    return SegDistillError(
        f"The checkpoint {path} is damaged. Copy the run folder anew, or delete the checkpoint: --resume then begins "
        f"the run anew."
    )
