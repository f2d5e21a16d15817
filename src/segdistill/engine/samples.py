"""Look at some samples before training: the mistakes that would otherwise train on nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data import Data
from segdistill.data.loading import to_unit
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multilabel, Task

_LOOK_AT = 8


def check_data(data: Data, task: Task) -> None:
    """Refuse sets that are empty, and samples that the task cannot read.

    Raises:
        SegDistillError: Naming the set, or the sample and what is wrong with it.
    """
    for name, dataset in {"training": data.train, "validation": data.val, **data.tests}.items():
        count = len(dataset)  # type: ignore[arg-type]
        if not count:
            raise SegDistillError(f"There are no {name} images. Name a folder that has some.")
        samples = [dataset[index] for index in range(0, count, max(1, count // _LOOK_AT))]
        for sample in samples:
            check_sample(sample, task)
        _check_not_all_ignored(samples, task, name)


def check_sample(sample: Any, task: Task) -> None:
    """Refuse a sample that is not one, or whose values mean nothing to the task.

    Raises:
        SegDistillError: Naming the sample.
    """
    if not isinstance(sample, Mapping) or not {"image", "mask", "id"} <= sample.keys():
        raise SegDistillError(
            f"A sample is {{'image', 'mask', 'id'}}, but the data set gives a {type(sample).__name__}."
        )
    name = repr(sample["id"])
    image, mask = (torch.as_tensor(sample[key]).as_subclass(Tensor) for key in ("image", "mask"))
    if image.dtype != torch.uint8 and not (
        image.is_floating_point() and image.min() >= 0 and image.max() <= 1
    ):
        raise SegDistillError(
            f"The image of {name} holds {image.dtype} from {image.min():g} to {image.max():g}. "
            f"Give bytes, or floats in [0, 1]."
        )
    want = image.ndim if isinstance(task, Multilabel) else image.ndim - 1
    if mask.ndim != want or mask.shape[mask.ndim - image.ndim + 1 :] != image.shape[1:]:
        raise SegDistillError(
            f"The mask of {name} is {tuple(mask.shape)} beside an image of {tuple(image.shape)}; "
            f"{type(task).__name__} wants {'one plane per class' if isinstance(task, Multilabel) else 'one plane'} "
            f"of the image's size."
        )
    _check_labels(mask, task, name)


def _check_labels(mask: Tensor, task: Task, name: str) -> None:
    known = {*range(2 if isinstance(task, (Binary, Multilabel)) else task.channels), task.ignore_index}
    wrong = sorted(set(np.unique(mask.numpy()).tolist()) - known)
    if wrong:
        raise SegDistillError(
            f"The mask of {name} holds the label {wrong[0]:g}; {type(task).__name__} over {list(task.classes)} "
            f"knows {', '.join(map(str, sorted(known)))}."
        )


def _check_not_all_ignored(samples: Iterable[Mapping[str, Any]], task: Task, name: str) -> None:
    found: set[int] = set()
    for sample in samples:
        found |= set(np.unique(torch.as_tensor(sample["mask"]).numpy()).tolist())
    if isinstance(task, (Binary, Multilabel)) and task.ignore_index in found and 1 not in found:
        raise SegDistillError(
            f"The {name} masks hold {sorted(found)}: no foreground, 1, but {task.ignore_index}, which is ignored. "
            f"Masks of 0 and 255 have to be divided by 255."
        )


def check_sizes(student: Tapped, data: Data, device: torch.device) -> None:
    """Run one image of every scored set through the student at its native size.

    Raises:
        SegDistillError: If the network refuses the size.
    """
    for dataset in (data.val, *data.tests.values()):
        _check_size(student, dataset, device)


def _check_size(student: Tapped, dataset: Dataset[Any], device: torch.device) -> None:
    sample = dataset[0]
    image = to_unit(torch.as_tensor(sample["image"]).as_subclass(Tensor).to(device))
    try:
        student.each([image])
    except (RuntimeError, ValueError) as error:
        raise SegDistillError(
            f"The student cannot segment {sample['id']!r} at its own size {tuple(image.shape[1:])}: "
            f"{str(error).splitlines()[0]} Give it a size: Tapped(net, size=...)."
        ) from error
