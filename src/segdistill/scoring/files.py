"""Which files were scored: what the JSON of `score` says of a set, so that its cases can be looked at again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics import find_protocol
from segdistill.scoring.folders import Folders
from segdistill.scoring.images import Sample
from segdistill.scoring.pairs import pair_files
from segdistill.scoring.readers import choose_reader
from segdistill.tasks import Binary, Multiclass, Task


@dataclass(frozen=True)
class ScoredFiles:
    """The files of one set.

    Attributes:
        folders: Where predictions and true masks lie.
        classes: Names of the classes, where true masks were read by index.
        ignored: Label that counts nowhere, then.
    """

    folders: Folders
    classes: tuple[str, ...] = ()
    ignored: int = 255

    @classmethod
    def of(cls, folders: Folders, task: Task | None) -> Self:
        """What `score` was told."""
        if task is None or isinstance(task, Binary):
            return cls(folders)
        return cls(folders, task.classes, task.ignore_index)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """What the JSON says.

        Raises:
            KeyError: If it does not name the folders.
            TypeError: If it holds something else than names.
        """
        folders = Folders(Path(record["pred"]), Path(record["gt"]))
        return cls(folders, tuple(record.get("classes", ())), int(record.get("ignored", 255)))

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the JSON, with paths as they were given."""
        record: dict[str, Any] = {"pred": str(self.folders.predicted), "gt": str(self.folders.target)}
        return {**record, "classes": list(self.classes), "ignored": self.ignored} if self.classes else record


class Labels:
    """Reads again what was scored, case by case, as labels.

    Args:
        files: The files.
        protocol: Name of the protocol, which says how they are read.

    Raises:
        SegDistillError: If the folders are there no more, or names in them do not pair.
    """

    def __init__(self, files: ScoredFiles, protocol: str) -> None:
        for folder in files.folders:
            if not folder.is_dir():
                raise SegDistillError(f"There is no folder {str(folder)!r}.")
        self.folder = files.folders.predicted
        self.protocol = find_protocol(protocol)
        found = pair_files(files.folders, reads=self.protocol.reads)
        task = Multiclass(files.classes, ignore_index=files.ignored) if files.classes else None
        self.ignored = files.ignored if task else None
        self.pairs = {pair.id: pair for pair in found}
        self.reader = choose_reader([self.protocol], found, task)

    def __call__(self, case: str) -> Sample:
        """Read a case: prediction and truth of the same shape, maps cut at one half, no label where none counts.

        Raises:
            SegDistillError: If it is not there, or a file cannot be read.
        """
        if case not in self.pairs:
            raise SegDistillError(
                f"{str(self.folder)!r} holds no prediction of {case!r} any more; score again."
            )
        sample = self.reader(self.pairs[case])
        predicted = self._cut(sample.fitted() if sample.fitted else sample.predicted)
        target = self._cut(sample.target)
        if self.ignored is not None:
            counts = target != self.ignored
            predicted, target = predicted * counts, target * counts
        return sample._replace(predicted=predicted, target=target, fitted=None)

    def _cut(self, values: NDArray[Any]) -> NDArray[Any]:
        if values.dtype.kind == "f":
            return (values > 0.5).view(np.uint8)
        return (values >= 128).view(np.uint8) if self.protocol.reads == "map" else values
