"""The images a teacher is asked about, and its answers in half precision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision import tv_tensors

from segdistill.core import Batch, SegDistillError
from segdistill.data import Data, collate
from segdistill.data.reading import read_sample
from segdistill.data.resize import resize_image
from segdistill.data.samples import Sample
from segdistill.data.taught import view_of
from segdistill.taps import LOGITS, resize
from segdistill.teachers.header import Header
from segdistill.teachers.source import TeacherSource

_LARGEST = torch.finfo(torch.float16).max


class Questions(Dataset[Sample]):
    """The images a teacher is asked about, by row, and its answers.

    Args:
        source: The teacher.
        data: What will be trained on.
        header: Says how images are brought to the teacher.
        taps: Features to keep.
        device: Where the teacher runs.
    """

    def __init__(
        self, source: TeacherSource, data: Data, header: Header, taps: Sequence[str], *, device: torch.device
    ) -> None:
        self.dataset, self.augment, self.header = data.train, data.augment, header
        self.taps, self.device, self._source = list(taps), device, source

    def __len__(self) -> int:
        return self.header.rows

    def __getitem__(self, key: tuple[int, int]) -> Sample:
        index, view = divmod(key[1], max(self.header.views, 1))
        sample = read_sample(self.dataset, index)
        if self.header.views:
            return view_of(sample, self.augment, view)
        return _sized(sample, self.header.size)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the teacher with the process that asks it."""
        return {**self.__dict__, "_source": None}

    def shapes(self) -> dict[str, Sequence[int]]:
        """The shape of one map by tap, from the first image."""
        batch = collate([self[(0, 0)]])
        return {tap: tuple(m.shape[1:]) for tap, m in self._ask(batch).items()}

    def maps(self, batch: Batch, header: Header) -> dict[str, Tensor]:
        """The teacher's answer in half precision.

        Raises:
            SegDistillError: If a value does not fit, or the images differ in size.
        """
        maps = self._ask(batch)
        for tap, found in maps.items():
            if list(found.shape[1:]) != list(header.shapes[tap]):
                raise SegDistillError(
                    f"The teacher's {tap!r} of {batch.ids[0]!r} is {tuple(found.shape[1:])}, of the first image "
                    f"{tuple(header.shapes[tap])}: the images differ in size. Give size=, such as size=(256, 256)."
                )
            _refuse_too_large(found, tap, batch.ids)
        return {tap: found.half() for tap, found in maps.items()}

    def _ask(self, batch: Batch) -> dict[str, Tensor]:
        image = batch.image.to(self.device)
        output = self._source.to(self.device)(Batch(image, batch.mask, batch.ids))
        logits = output.logits.float()
        size = [-(-n // self.header.stride) for n in logits.shape[2:]]
        maps = {LOGITS: resize(logits, size, antialias=True)}
        maps.update({tap: output[tap].float() for tap in self.taps})
        return {tap: found.cpu() for tap, found in maps.items()}


def _refuse_too_large(found: Tensor, tap: str, ids: Sequence[str]) -> None:
    largest = found.abs().amax(dim=tuple(range(1, found.ndim)))
    wrong = [index for index, value in enumerate(largest.tolist()) if not value <= _LARGEST]
    if wrong:
        raise SegDistillError(
            f"The teacher's {tap!r} of {ids[wrong[0]]!r} reaches {largest[wrong[0]].item():g}; half precision ends at "
            f"{_LARGEST:g}. Check the teacher's preprocessing, or distil from the live teacher."
        )


def _sized(sample: Sample, size: Sequence[int] | None) -> Sample:
    """The image alone, at the size at which the teacher sees it; the mask is of no use to a teacher."""
    image = torch.as_tensor(sample["image"]).as_subclass(Tensor)
    if size is not None and tuple(image.shape[1:]) != tuple(size):
        image = _resized(image, (int(size[0]), int(size[1])))
    mask = torch.zeros(image.shape[1:], dtype=torch.uint8)
    return {"image": tv_tensors.Image(image), "mask": tv_tensors.Mask(mask), "id": sample["id"]}


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    if image.dtype == torch.uint8 and image.shape[0] in (1, 3):
        pixels = resize_image(np.ascontiguousarray(image.permute(1, 2, 0).numpy()), size)
        return torch.from_numpy(pixels.reshape(*size, -1)).permute(2, 0, 1)
    return resize(image[None].float(), size, antialias=True)[0]
