"""The batches of a training."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from torch.utils.data import DataLoader

from segdistill.core import Batch
from segdistill.data import Data, EpochSampler, Sample, Seeded, collate, loader
from segdistill.engine.samples import check_labels
from segdistill.engine.training import Training
from segdistill.tasks import Task


def training_batches(
    data: Data, task: Task, training: Training, *, rank: int, world: int
) -> tuple[EpochSampler, DataLoader[Any]]:
    """The loader of one process's share of every training batch, and the sampler that says where it begins."""
    sampler = EpochSampler(
        len(data.train),  # type: ignore[arg-type]
        batch_size=training.batch_size,
        seed=training.seed,
        rank=rank,
        world=world,
    )
    samples = Seeded(data.train, data.augment, seed=training.seed, maps=data.maps)
    return sampler, loader(samples, sampler, workers=_workers(training), into=Labelled(task))


class Labelled:
    """Makes batches of samples, each label of which means something to the task: those that were not looked at, too.

    Args:
        task: What the labels mean.
    """

    def __init__(self, task: Task) -> None:
        self.task = task

    def __call__(self, samples: Sequence[Sample]) -> Batch:
        """Collate the samples.

        Raises:
            SegDistillError: If they differ in size, or one holds a label that no class has.
        """
        batch = collate(samples)
        for mask, name in zip(batch.mask, batch.ids, strict=True):
            check_labels(mask, self.task, name)
        return batch


def _workers(training: Training) -> int:
    if training.workers is not None:
        return training.workers
    cores = len(_usable_cores())
    return max(1, min(8, cores // (2 * training.devices)))


def _usable_cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
