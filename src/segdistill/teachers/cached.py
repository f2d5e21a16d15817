"""A teacher that was asked once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import torch

from segdistill.core import Batch, Output, SegDistillError
from segdistill.data import Data
from segdistill.data.reading import read_sample
from segdistill.data.samples import digest
from segdistill.data.taught import check_moves, moves_maps
from segdistill.taps import LOGITS, resize
from segdistill.tasks import Task, to_plain
from segdistill.teachers import identity
from segdistill.teachers.header import Header, contrast, data_difference
from segdistill.teachers.source import TeacherSource
from segdistill.teachers.store import Store

_AGAIN = "Make one for it with `segdistill cache`, or distil from the live teacher."


class Cached:
    """A teacher whose output was stored, in half precision, by `cache` or `segdistill cache`.

    The maps are of each image as it is, and move with it through the augmentation: a flip is exact, a rotation
    bilinear. What changes colours does not reach them: the teacher's answer to a brightened image is taken to be that
    to the original. A cache of augmented views has the teacher's answer to exactly the images that are trained on.

    Args:
        folder: What `cache` wrote.
        teacher: Refuse the folder if it is not of this teacher.

    Raises:
        SegDistillError: If the folder holds no finished cache of this version, or one of another teacher.
    """

    def __init__(self, folder: str | Path, *, teacher: TeacherSource | None = None) -> None:
        self.folder = Path(folder)
        self.header = Store(self.folder).header
        self.taps: dict[str, None] = {LOGITS: None}
        if teacher is not None:
            self._refuse("another teacher", self.header.teacher, teacher.fingerprint())
            self._refuse(
                "another preprocessing or architecture",
                self.header.preprocessing,
                identity.preprocessing(teacher),
            )

    def tap(self, names: Iterable[str]) -> None:
        """Ask for features by name.

        Raises:
            SegDistillError: If one is not stored.
        """
        names = list(names)
        missing = self.header.lacks(names)
        if missing:
            wanted = ",".join(dict.fromkeys([*(t for t in self.header.shapes if t != LOGITS), *missing]))
            raise SegDistillError(
                f"The teacher cache {str(self.folder)!r} stores {', '.join(self.header.shapes)}, not "
                f"{', '.join(missing)}. Make one that does: segdistill cache TEACHER --taps {wanted} --out DIR."
            )
        self.taps.update(dict.fromkeys(names))

    def to(self, device: torch.device) -> Self:
        """Nothing to move: the maps come with the batch."""
        return self

    def fingerprint(self) -> str:
        """Hash of the header on disk, which names the teacher's weights, the data and the layout.

        Not of the taps that are stored: a cache with more of them says the same.
        """
        return digest([replace(Header.read(self.folder), shapes={}).as_json()])

    def maps(self, data: Data, task: Task | None = None) -> Store:
        """What the loader reads, once it is sure that it is about these images.

        Raises:
            SegDistillError: If the data, its augmentation or the task is not what was stored.
        """
        self._check_task(task)
        difference = data_difference(self.header.data, identity.contents(data.train))
        if difference:
            raise SegDistillError(f"The teacher cache {str(self.folder)!r} {difference}. {_AGAIN}")
        self._refuse("images read in another way", self.header.decoding, identity.decoded_by(data.train))
        if self.header.views:
            self._refuse("another augmentation", self.header.augment, identity.drawn_by(data.augment))
        else:
            self._check_geometry(data)
        return Store(self.folder, list(self.taps))

    def __call__(self, batch: Batch) -> Output:
        """The stored output of a batch, in float32, logits at the size of its images.

        Raises:
            SegDistillError: If the batch brings none.
        """
        if batch.teacher is None:
            raise SegDistillError(
                "The batch brings no stored maps of the teacher. Load it with Seeded(..., maps=cached.maps(data))."
            )
        stored = batch.teacher
        logits = resize(stored.logits.float(), batch.image.shape[2:])
        features = {tap: stored[tap].float() for tap in self.taps if tap != LOGITS}
        return Output(logits, features)

    def describe(self) -> dict[str, Any]:
        """What a run folder says about the teacher it learnt from."""
        header = self.header
        return {
            "cached": self.folder.name,
            "weights": header.teacher,
            "taps": list(self.taps),
            "size": header.size,
            "stride": header.stride,
            "views": header.views,
            "augmentation": f"{header.views} stored views, each exactly as the teacher saw it"
            if header.views
            else "geometry moves the stored maps; changes of colour do not reach them",
        }

    def _check_task(self, task: Task | None) -> None:
        if task is not None and self.header.task is not None:
            self._refuse("another task", self.header.task, to_plain(task))

    def _check_geometry(self, data: Data) -> None:
        size = getattr(data.augment, "size", None)
        if moves_maps(data.augment) and size is not None and self.header.size is not None:
            self._refuse("another image size", list(self.header.size), list(size))
        if not moves_maps(data.augment):
            self._refuse_wide_features()
        check_moves(read_sample(data.train, 0), data.augment)

    def _refuse_wide_features(self) -> None:
        features = [tap for tap in self.taps if tap != LOGITS]
        if features:
            raise SegDistillError(
                f"Only segdistill.data.Augment moves cached features ({', '.join(features)}) with their images. "
                "Use it, or cache views of the augmented images (views=4)."
            )

    def _refuse(self, what: str, stored: Any, wanted: Any) -> None:
        if found := contrast(stored, wanted):
            raise SegDistillError(f"The teacher cache {str(self.folder)!r} is of {what} ({found}). {_AGAIN}")
