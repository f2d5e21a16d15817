"""The hooks of a method, each called at its time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader

from segdistill.core import Batch, Output, SegDistillError
from segdistill.data import Data, EpochSampler
from segdistill.data.seeding import stable_seed
from segdistill.engine.batches import training_batches
from segdistill.engine.runtime import Runtime
from segdistill.engine.training import Training
from segdistill.methods import Method
from segdistill.taps import Tapped
from segdistill.tasks import Task
from segdistill.teachers import TeacherSource


def parts(method: Method | None) -> Sequence[Method]:
    """What a method consists of; nothing where there is none."""
    return [] if method is None else method.parts


def check_needs_no_teacher(method: Method | None) -> None:
    """Refuse a method that cannot do without a teacher.

    Raises:
        SegDistillError: Naming what needs one.
    """
    names = [type(part).__name__ for part in parts(method) if part.traits.teacher]
    if names:
        raise SegDistillError(
            f"There is no teacher, but {' and '.join(names)} cannot do without one. "
            f"Use distill(teacher, student, data, method)."
        )


def check_batch_size(method: Method | None, training: Training) -> None:
    """Refuse batches that are too small for methods that compare images with each other.

    Raises:
        SegDistillError: Naming the method and the least batch size.
    """
    share = training.batch_size // training.devices
    for part in parts(method):
        least = part.traits.images
        if share < least:
            raise SegDistillError(
                f"{type(part).__name__} needs {least} images in every process's batch, but batch_size "
                f"{training.batch_size} over {training.devices} devices gives {share}. "
                f"Take a batch_size of at least {least * training.devices}."
            )


def probe_images(method: Method | None) -> int:
    """How many images the first look at everything takes: two for batch norm, more where a method compares more."""
    return max([2, *(part.traits.images for part in parts(method))])


def examine(method: Method | None, teacher: TeacherSource) -> None:
    """Let every part read the teacher's modules, where the teacher is one network."""
    net = getattr(teacher, "net", None)
    if not isinstance(net, Tapped):
        return
    with torch.no_grad():
        for part in parts(method):
            part.examine(net)


def show_progress(method: Method | None, done: float) -> None:
    """Tell every part how far the training is, from 0 to 1."""
    if method is not None:
        method.progress = done
    for part in parts(method):
        part.progress = done


def prepare(
    method: Method | None,
    teach: Callable[[Batch], Output],
    data: Data,
    task: Task,
    training: Training,
    runtime: Runtime,
) -> None:
    """Let every part that wants to learn from the teacher alone, before the student's training.

    All processes see the same batches, those of the first, and end with its parameters and buffers.

    Raises:
        SegDistillError: If a part keeps what it learnt where no checkpoint finds it.
    """
    wanting = [part for part in parts(method) if part.preparation > 0]
    for index, part in enumerate(wanting):
        torch.manual_seed(stable_seed("prepare", training.seed, index))
        before = _tensors(part)
        batches = training_batches(data, task, training, rank=0, world=runtime.world)
        part.prepare(_lessons(part.preparation, teach, batches, runtime))
        _check_kept(part, before)
        runtime.share([*part.parameters(), *part.buffers()])


def recall(method: Method | None, state: Mapping[str, Tensor]) -> None:
    """Bring back what a method learnt before it is looked at; the whole state is restored, and checked, later.

    Args:
        method: As `build` made it.
        state: Of the whole training, with the method's tensors under `method.`.
    """
    for name, tensor in _named(method).items():
        saved = state.get(f"method.{name}")
        if saved is not None and saved.shape == tensor.shape:
            tensor.copy_(saved)


def _lessons(
    count: int,
    teach: Callable[[Batch], Output],
    batches: tuple[EpochSampler, DataLoader[Any]],
    runtime: Runtime,
) -> Iterator[tuple[Output, Tensor]]:
    sampler, loader = batches
    epoch = 0
    while count > 0:
        sampler.begin(epoch)
        for batch in islice(loader, count):
            moved = runtime.move(batch)
            count -= 1
            yield teach(moved), moved.mask
        epoch += 1


def _tensors(part: Method) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in _named(part).items()}


def _named(method: Method | None) -> dict[str, Tensor]:
    """Parameters and buffers, without their graph."""
    if method is None:
        return {}
    return {name: value.detach() for name, value in [*method.named_parameters(), *method.named_buffers()]}


def _check_kept(part: Method, before: Mapping[str, Tensor]) -> None:
    """A resumed run builds the method, skips `prepare`, and reads the checkpoint: is everything in there?"""
    saved = part.state_dict()
    for name, value in _tensors(part).items():
        old = before.get(name)
        if old is None or old.shape != value.shape:
            raise SegDistillError(
                f"{type(part).__name__}.prepare() gave {name!r} the shape {tuple(value.shape)}, which a resumed run "
                f"cannot know. Create it with that shape in build()."
            )
        if name not in saved and not torch.equal(old, value):
            raise SegDistillError(
                f"{type(part).__name__}.prepare() wrote the buffer {name!r}, which no checkpoint keeps. "
                f"Register it with persistent=True."
            )
