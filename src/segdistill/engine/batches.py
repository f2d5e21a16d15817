"""The batches of a training."""

from __future__ import annotations

import os
from typing import Any

from torch.utils.data import DataLoader

from segdistill.data import Data, EpochSampler, Seeded, loader
from segdistill.engine.training import Training


def training_batches(
    data: Data, training: Training, *, rank: int, world: int
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
    return sampler, loader(samples, sampler, workers=_workers(training))


def _workers(training: Training) -> int:
    if training.workers is not None:
        return training.workers
    cores = len(_usable_cores())
    return max(1, min(8, cores // (2 * training.devices)))


def _usable_cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
