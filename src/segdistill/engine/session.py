"""The state of one training, and the steps that move it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from segdistill.core import Batch, SegDistillError
from segdistill.data import Data, EpochSampler, Seeded, loader
from segdistill.data.seeding import stable_seed
from segdistill.engine import checkpoint, guards, schedule
from segdistill.engine.checkpoint import Progress
from segdistill.engine.ema import EMA
from segdistill.engine.interrupt import Interrupt
from segdistill.engine.logs import Display
from segdistill.engine.runtime import Runtime
from segdistill.engine.trainable import Trainable, flatten
from segdistill.engine.training import Training
from segdistill.taps import Tapped, resize
from segdistill.teachers import TeacherSource

SIZE_MULTIPLE = 32  # what five halvings need


class Session:
    """A training under way.

    Args:
        trainable: Student, loss and method, built and on the device.
        teacher: Where the teacher's output comes from.
        data: Training samples and their augmentation.
        training: The schedule.
        runtime: Where it runs.
        display: Shows the progress.
    """

    def __init__(
        self,
        trainable: Trainable,
        teacher: TeacherSource | None,
        data: Data,
        *,
        training: Training,
        runtime: Runtime,
        display: Display,
    ) -> None:
        self.trainable, self.teacher, self.training, self.runtime = trainable, teacher, training, runtime
        self.display = display
        self.progress = Progress()
        self.sampler = EpochSampler(
            len(data.train),  # type: ignore[arg-type]
            batch_size=training.batch_size,
            seed=training.seed,
            rank=runtime.rank,
            world=runtime.world,
        )
        samples = Seeded(data.train, data.augment, seed=training.seed)
        self.loader = loader(samples, self.sampler, workers=_workers(training))
        self.batches = len(self.sampler) // training.accumulate * training.accumulate
        if not self.batches:
            raise SegDistillError(
                f"accumulate {training.accumulate} is more than the {len(self.sampler)} batches of an epoch."
            )
        others = [
            p for n, p in trainable.named_parameters() if p.requires_grad and not n.startswith("student.")
        ]
        optimizer = schedule.build_optimizer(trainable.student.net, others, training)
        self.optimized = {id(p) for group in optimizer.param_groups for p in group["params"]}
        self.ema = EMA(trainable.student, training.ema) if training.ema else None
        self.module, self.optimizer = runtime.setup(trainable, optimizer)
        self.size = trainable.student.size

    @property
    def deployed(self) -> Tapped:
        """The network that is validated and saved: the average where there is one."""
        return self.ema.model if self.ema else self.trainable.student  # type: ignore[return-value]

    def run_epoch(self, interrupt: Interrupt, path: Path) -> bool:
        """Train to the end of the epoch under way.

        Returns:
            False if it was interrupted; the checkpoint is written then.
        """
        self.module.train()
        progress, every = self.progress, self.training.checkpoint_steps
        self.sampler.begin(progress.epoch, start=progress.batch)
        started = time.monotonic()
        for batch in self.loader:
            self.train_batch(self.runtime.move(batch))
            self._show()
            if progress.batch == self.batches:
                break
            if progress.batch % self.training.accumulate:
                continue  # half a step: its gradients are in no checkpoint
            stop = self.runtime.any(interrupt.requested)
            if stop or (every and progress.step % every == 0):
                now = time.monotonic()
                progress.seconds, started = progress.seconds + now - started, now
                self.save(path)
            if stop:
                return False
        progress.seconds += time.monotonic() - started
        return True

    def train_batch(self, batch: Batch) -> None:
        """Take one batch on its device: gradients, and a step where enough have gathered."""
        progress, accumulate = self.progress, self.training.accumulate
        # Dropout and the like are a function of the step too, so a resumed run draws the same numbers.
        torch.manual_seed(stable_seed(self.training.seed, progress.epoch, progress.batch, self.runtime.rank))
        batch = self._rescaled(batch)
        moves = (progress.batch + 1) % accumulate == 0
        with self.runtime.defer_gradients(self.module, when=not moves):
            terms = self._terms(batch)
            guards.check_finite(terms, f"in step {progress.step + 1}")
            self.runtime.backward(torch.stack(list(terms.values())).sum() / accumulate)
        for name, value in terms.items():
            progress.sums[name] = progress.sums.get(name, 0.0) + value.item()
        if moves:
            self._move()
        progress.batch += 1

    def _terms(self, batch: Batch) -> dict[str, Tensor]:
        with self.runtime.forward():
            teacher = None if self.teacher is None else flatten(self.teacher(batch))
            terms: dict[str, Tensor] = self.module(batch.image, batch.mask, teacher)
        return terms

    def _move(self) -> None:
        progress = self.progress
        steps = self.batches // self.training.accumulate
        factor = schedule.learning_rate_factor(progress.step, steps_per_epoch=steps, training=self.training)
        schedule.set_learning_rate(self.optimizer, factor)
        norm = self.runtime.clip(self.module, self.optimizer)
        if progress.step == 0:
            guards.check_adapters_trained(self.trainable, self.optimized)
        if not self.runtime.scales_loss:
            guards.check_gradient(norm, f"in step {progress.step + 1}")
        self.optimizer.step()
        self.optimizer.zero_grad()
        if self.ema:
            self.ema.update(self.trainable.student)
        progress.step += 1

    def _rescaled(self, batch: Batch) -> Batch:
        """Draw one of the scales for this step, and bring image, mask and the student's own size to it."""
        if not self.training.scales:
            return batch
        seed = stable_seed("scale", self.training.seed, self.progress.epoch, self.progress.batch)
        scale = random.Random(seed).choice(self.training.scales)
        base = self.size or tuple(batch.image.shape[2:])
        size = tuple(max(1, round(n * scale / SIZE_MULTIPLE)) * SIZE_MULTIPLE for n in base)
        if self.size:
            self.trainable.student.size = size
        return Batch(
            resize(batch.image, size, antialias=True), _nearest(batch.mask, size), batch.ids, batch.teacher
        )

    def _show(self) -> None:
        progress = self.progress
        means = {name: value / progress.batch for name, value in progress.sums.items()}
        self.display.step(progress.epoch, progress.batch, self.batches, means)

    def end_epoch(self) -> dict[str, float]:
        """Close the epoch's books: mean of every term over its batches and processes."""
        self.trainable.student.size = self.size
        names = list(self.progress.sums)
        sums = torch.tensor([self.progress.sums[name] for name in names], dtype=torch.float64)
        means = (self.runtime.mean(sums.to(self.runtime.device).float()) / self.batches).tolist()
        self.progress.sums, self.progress.batch = {}, 0
        self.progress.epoch += 1
        return {"loss": sum(means), **dict(zip(names, means, strict=True))}

    def learning_rate(self) -> float:
        """The learning rate of the last step, of parameters at factor 1."""
        steps = self.batches // self.training.accumulate
        done = max(self.progress.step - 1, 0)
        return self.training.lr * schedule.learning_rate_factor(
            done, steps_per_epoch=steps, training=self.training
        )

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        self.runtime.first(lambda: checkpoint.save(path, self.state()))

    def state(self) -> dict[str, Any]:
        """All that a resumed training needs."""
        return {
            "trainable": self.trainable.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ema": None
            if self.ema is None
            else {"model": self.ema.model.state_dict(), "steps": self.ema.steps},
            "scaler": self.runtime.scaler_state(),
            "progress": asdict(self.progress),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to where a checkpoint was written.

        Raises:
            SegDistillError: If it is of another student or method.
        """
        try:
            self.trainable.load_state_dict(state["trainable"])
            self.optimizer.load_state_dict(state["optimizer"])
            if self.ema:
                self.ema.model.load_state_dict(state["ema"]["model"])
                self.ema.steps = state["ema"]["steps"]
        except (RuntimeError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise SegDistillError(f"The checkpoint is of another student or method: {reason}") from error
        self.runtime.restore_scaler(state["scaler"])
        self.progress = Progress(**state["progress"])


def _nearest(mask: Tensor, size: tuple[int, ...]) -> Tensor:
    planes = mask[:, None] if mask.ndim == len(size) + 1 else mask
    scaled = F.interpolate(planes.float(), size=size, mode="nearest-exact").to(mask.dtype)
    return scaled[:, 0] if mask.ndim == len(size) + 1 else scaled


def _workers(training: Training) -> int:
    if training.workers is not None:
        return training.workers
    cores = len(_usable_cores())
    return max(1, min(8, cores // (2 * training.devices)))


def _usable_cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
