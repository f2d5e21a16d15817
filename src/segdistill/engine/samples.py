"""Look at samples before training: the mistakes that would otherwise train on nothing, or stop a run late."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data import Data, Sample, Samples
from segdistill.data.loading import to_unit
from segdistill.data.reading import read_sample
from segdistill.engine.memory import is_out_of_memory
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multilabel, Task

#: The library's own sets were decoded whole before; of a training set of one's own the loader sees the rest.
_LOOK_AT_OWN, _LOOK_AT = 8, 64

#: A data set, and the index of one sample of every size in it.
Scored = tuple[Dataset[Any], list[int]]


def check_data(data: Data, task: Task) -> list[Scored]:
    """Refuse sets that are empty, and samples that the task cannot read.

    Of a set that is scored and is not the library's, every sample is looked at: a mistake would show only after an
    epoch, or when the training is over.

    Returns:
        The sets that are scored.

    Raises:
        SegDistillError: Naming the set, or the sample and what is wrong with it.
    """
    _check_set("training", data.train, _some(data.train), task)
    scored: list[Scored] = []
    for name, dataset in [("validation", data.val), *data.tests.items()]:
        looked_at = _check_set(name, dataset, _some(dataset, scored=True), task)
        sizes = dataset.sizes() if isinstance(dataset, Samples) else looked_at
        scored.append((dataset, _one_of_each(sizes)))
    return scored


def _some(dataset: Dataset[Any], *, scored: bool = False) -> range:
    """Which samples to look at."""
    count, own = len(dataset), isinstance(dataset, Samples)  # type: ignore[arg-type]
    if scored and not own:
        return range(count)
    return range(0, count, max(1, count // (_LOOK_AT_OWN if own else _LOOK_AT)))


def _check_set(name: str, dataset: Dataset[Any], look_at: range, task: Task) -> list[tuple[int, ...]]:
    """Check some samples, and say how large their images are."""
    if not look_at:
        raise SegDistillError(f"There are no {name} images. Name a folder that has some.")
    labels: set[int] = set()
    sizes = []
    for index in look_at:
        sample = read_sample(dataset, index)
        labels |= check_sample(sample, task)
        sizes.append(tuple(sample["image"].shape[1:]))
    _check_not_all_ignored(labels, task, name)
    return sizes


def _one_of_each(sizes: Sequence[tuple[int, ...]]) -> list[int]:
    first: dict[tuple[int, ...], int] = {}
    for index, size in enumerate(sizes):
        first.setdefault(size, index)
    return list(first.values())


def check_sample(sample: Sample, task: Task) -> set[int]:
    """Refuse a sample whose labels mean nothing to the task.

    Args:
        sample: As `read_sample` gives it.
        task: What the labels mean.

    Returns:
        The labels that it holds.

    Raises:
        SegDistillError: Naming the sample.
    """
    name = sample["id"]
    image, mask = (sample[key].as_subclass(Tensor) for key in ("image", "mask"))
    want = image.ndim if isinstance(task, Multilabel) else image.ndim - 1
    if mask.ndim != want or mask.shape[mask.ndim - image.ndim + 1 :] != image.shape[1:]:
        raise SegDistillError(
            f"The mask of {name!r} is {tuple(mask.shape)} beside an image of {tuple(image.shape)}; "
            f"{type(task).__name__} wants {'one plane per class' if isinstance(task, Multilabel) else 'one plane'} "
            f"of the image's size."
        )
    check_labels(mask, task, name)
    return set(np.unique(mask.numpy()).tolist())


def check_labels(mask: Tensor, task: Task, name: str) -> None:
    """Refuse a mask with a label that no class has; shares of foreground are no labels.

    Args:
        mask: Of one sample.
        task: What the labels mean.
        name: Of the sample.

    Raises:
        SegDistillError: Naming the sample and the label.
    """
    classes = 2 if isinstance(task, (Binary, Multilabel)) else task.channels
    if mask.is_floating_point() or (mask.min() >= 0 and mask.max() < classes):
        return
    wrong = mask[((mask < 0) | (mask >= classes)) & (mask != task.ignore_index)]
    if wrong.numel():
        known = sorted({*range(classes), task.ignore_index})
        raise SegDistillError(
            f"The mask of {name!r} holds the label {wrong.min().item()}; {type(task).__name__} over "
            f"{list(task.classes)} knows {', '.join(map(str, known))}."
        )


def _check_not_all_ignored(found: set[int], task: Task, name: str) -> None:
    if isinstance(task, (Binary, Multilabel)) and task.ignore_index in found and 1 not in found:
        raise SegDistillError(
            f"The {name} masks hold {sorted(found)}: no foreground, 1, but {task.ignore_index}, which is ignored. "
            f"Masks of 0 and 255 have to be divided by 255."
        )


def check_sizes(student: Tapped, scored: Iterable[Scored], device: torch.device) -> None:
    """Run one image of every size that is scored through the student; it resizes them itself if it has a size.

    Raises:
        SegDistillError: If the network refuses a size.
    """
    for dataset, indices in scored:
        for index in indices if student.size is None else indices[:1]:
            _check_size(student, read_sample(dataset, index), device)


def _check_size(student: Tapped, sample: Sample, device: torch.device) -> None:
    image = to_unit(sample["image"].as_subclass(Tensor).to(device))
    try:
        student.each([image])
    except (RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise SegDistillError(
            f"The student cannot segment {sample['id']!r} at its own size {tuple(image.shape[1:])}: "
            f"{str(error).splitlines()[0]} Give it a size: Tapped(net, size=...)."
        ) from error
