"""Where the teacher's output comes from. A teacher is a source, never a part of what is trained."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, Self

import torch

from segdistill.core import Batch, Output


class TeacherSource(Protocol):
    """Anything that answers a batch with a teacher's output."""

    def tap(self, names: Iterable[str]) -> None:
        """Ask for features by name."""
        ...

    def to(self, device: torch.device) -> Self:
        """Move to a device."""
        ...

    def fingerprint(self) -> str:
        """Hash of everything that must not change during training."""
        ...

    def __call__(self, batch: Batch) -> Output:
        """The output for a batch, without a graph."""
        ...
