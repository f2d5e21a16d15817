"""Batches for the engine: the same for any number of workers and processes, able to start anywhere."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from segdistill.core import Batch, Output, SegDistillError
from segdistill.data.reading import read_sample
from segdistill.data.samples import Sample
from segdistill.data.seeding import seeded, stable_seed
from segdistill.data.soft import SoftMask
from segdistill.data.taught import TeacherMaps, view_of, with_maps
from segdistill.taps import LOGITS

#: Seconds that a worker goes on for, once it was told to terminate.
_GRACE = 10

Key = tuple[int, int]


class Seeded(Dataset[Sample]):
    """A data set that augments with random numbers drawn from (seed, epoch, id), whoever asks, in any order.

    Args:
        dataset: Samples at native size, with `.ids`.
        augment: Sample -> sample, drawing only from torch's global generator; None passes samples through.
        seed: The seed of the run.
        maps: A teacher's stored maps, to be moved with their images; where they are of augmented views, the views
            of the sample take turns, epoch by epoch, and are drawn as they were when they were stored.
    """

    def __init__(
        self,
        dataset: Dataset[Any],
        augment: Callable[[Any], Any] | None = None,
        *,
        seed: int = 0,
        maps: TeacherMaps | None = None,
    ) -> None:
        self.dataset, self.augment, self.seed, self.maps = dataset, augment, seed, maps

    def __len__(self) -> int:
        """Count the samples of one epoch."""
        return len(self.dataset)  # type: ignore[arg-type]

    def __getitem__(self, key: Key) -> Sample:
        """Return the sample at `index` as it looks in `epoch`; the key is (epoch, index)."""
        epoch, index = key
        sample = read_sample(self.dataset, index)
        if self.maps is not None and self.maps.views:
            view = epoch % self.maps.views
            return {**view_of(sample, self.augment, view), "teacher": self.maps.read(sample["id"], view)}
        if self.maps is not None:
            sample = with_maps(sample, self.maps.read(sample["id"]), self.augment)
        if self.augment is None:
            return sample
        with seeded(stable_seed(self.seed, epoch, sample["id"])):
            augmented: Sample = self.augment(sample)
        return augmented


class EpochSampler(Sampler[list[Key]]):
    """Batches of (epoch, index) keys in a seeded order.

    The order is drawn for the whole set, then cut to global batches, of which every process takes its share:
    a global batch is the same set of samples for any number of processes. An incomplete last one is dropped.

    Args:
        count: How many samples there are.
        batch_size: Samples per global batch, over all processes.
        seed: The seed of the run.
        rank: This process, from 0.
        world: How many processes there are.

    Raises:
        SegDistillError: If there is not one whole batch, or it cannot be shared equally.
    """

    def __init__(self, count: int, *, batch_size: int, seed: int = 0, rank: int = 0, world: int = 1) -> None:
        if batch_size < 1:
            raise SegDistillError(f"A batch size of {batch_size} is empty; use at least 1.")
        if batch_size > count:
            raise SegDistillError(
                f"Batch size {batch_size} is larger than the {count} training images; "
                f"use a batch size of at most {count}."
            )
        if batch_size % world:
            raise SegDistillError(
                f"Batch size {batch_size} cannot be shared by {world} devices; use a multiple of {world}."
            )
        self.count, self.batch_size, self.seed = count, batch_size, seed
        self.rank, self.world = rank, world
        self.epoch, self.start = 0, 0

    def begin(self, epoch: int, *, start: int = 0) -> None:
        """Choose the epoch of the next pass, and the batch it starts at after an interruption."""
        self.epoch, self.start = epoch, start

    def __len__(self) -> int:
        """Count the batches of the next pass."""
        return max(0, self.count // self.batch_size - self.start)

    def __iter__(self) -> Iterator[list[Key]]:
        """Yield this process's share of every batch."""
        epoch, order = self.epoch, self._order()
        for batch in range(self.start, self.count // self.batch_size):
            ours = order[batch * self.batch_size : (batch + 1) * self.batch_size][self.rank :: self.world]
            yield [(epoch, index) for index in ours]

    def _order(self) -> list[int]:
        generator = torch.Generator().manual_seed(stable_seed("order", self.seed, self.epoch))
        order: list[int] = torch.randperm(self.count, generator=generator).tolist()
        return order


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack samples to a `Batch`: image floats in [0, 1] `(B, C, *spatial)`, mask int64 `(B, *spatial)`.

    Masks of shares, which are a `SoftMask`, stay floats.

    The floats are made here, in the worker, and not in the training process, which has better things to do.
    The image comes in channels-last memory order, as decoded: no transposition for networks that want it.

    Raises:
        SegDistillError: If the samples differ in size.
    """
    sizes = {tuple(sample["mask"].shape): sample["id"] for sample in samples}
    if len(sizes) > 1:
        (one, first), (other, second) = list(sizes.items())[:2]
        raise SegDistillError(
            f"{first!r} is {one} and {second!r} is {other} pixels: one batch needs one size; "
            "give an augmentation with a size, such as Augment(256)."
        )
    image = to_unit(_stack([sample["image"].as_subclass(Tensor) for sample in samples]))
    mask = torch.stack([sample["mask"].as_subclass(Tensor) for sample in samples])
    labels = mask if isinstance(samples[0]["mask"], SoftMask) else mask.long()
    return Batch(image, labels, [sample["id"] for sample in samples], _taught(samples))


def _taught(samples: Sequence[Sample]) -> Output | None:
    """The teacher's maps, in half precision as they are stored: whoever reads them makes them float again."""
    if "teacher" not in samples[0]:
        return None
    maps = {
        tap: torch.stack([sample["teacher"][tap].as_subclass(Tensor).half() for sample in samples])
        for tap in samples[0]["teacher"]
    }
    return Output(maps.pop(LOGITS), maps)


def to_unit(image: Tensor) -> Tensor:
    """Bring pixels to floats in [0, 1]: bytes are divided by 255, floats are taken to be there already."""
    return image.float().div_(255) if image.dtype == torch.uint8 else image.float()


def _stack(images: Sequence[Tensor]) -> Tensor:
    if images[0].ndim != 3:
        return torch.stack(list(images))
    return torch.stack([image.permute(1, 2, 0) for image in images]).permute(0, 3, 1, 2)


def loader(
    dataset: Dataset[Any],
    sampler: Sampler[list[Key]],
    *,
    workers: int = 0,
    into: Callable[[Sequence[Sample]], Batch] = collate,
) -> DataLoader[Any]:
    """Build a data loader over `Seeded` samples.

    Args:
        dataset: What to load.
        sampler: Which keys are a batch.
        workers: Loader processes; 0 loads in the calling process.
        into: What makes a batch of samples.

    Raises:
        SegDistillError: If the number of workers is negative; while loading, whatever a data set raises.
    """
    if workers < 0:
        raise SegDistillError(f"workers={workers} is negative; use 0 to load in the training process.")
    return _Loader(
        dataset,
        batch_sampler=sampler,
        num_workers=workers,
        collate_fn=into,
        worker_init_fn=_start_worker,
        persistent_workers=workers > 0,
    )


class _Loader(DataLoader[Any]):
    """A data loader that says a mistake as it was said in the worker, and not the worker's traceback."""

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        if self.num_workers == 0:
            yield from super().__iter__()
            return
        try:
            yield from super().__iter__()
        except Exception as error:
            # Its traceback holds itself, and with it the workers' queues: freed by the garbage collector, in the wrong
            # order, they could no longer tell the workers to end. What happened in the worker stands in its text.
            raise _as_said(error.with_traceback(None)) from None


def _as_said(error: Exception) -> Exception:
    """A user's mistake as the worker put it; anything else with the text of the worker's traceback."""
    if not isinstance(error, SegDistillError):
        return error
    return SegDistillError(str(error).rpartition(f"{SegDistillError.__name__}: ")[2].strip())


def _start_worker(_: int) -> None:
    """Keep each worker on its core: threads of many workers that wait for each other are far slower.

    A request to stop reaches the whole process group; the training process saves first, so workers leave it to that.
    But they do not outlive it: one that was told to terminate and then forgotten ends by itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: signal.setitimer(signal.ITIMER_REAL, _GRACE))
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
