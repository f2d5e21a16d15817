"""The state of one training, and the steps that move it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from segdistill.core import Batch, SegDistillError
from segdistill.data import Data
from segdistill.data.seeding import stable_seed
from segdistill.engine import checkpoint, guards, hooks, schedule
from segdistill.engine.auxiliary import Auxiliaries
from segdistill.engine.batches import training_batches
from segdistill.engine.checkpoint import Progress
from segdistill.engine.ema import EMA
from segdistill.engine.interrupt import Interrupt
from segdistill.engine.job import Job
from segdistill.engine.logs import Display
from segdistill.engine.runtime import Runtime
from segdistill.engine.scales import Scales
from segdistill.engine.trainable import flatten
from segdistill.taps import Tapped
from segdistill.tasks import Task

_SCALER_TRIES = 20


class Session:
    """A training under way.

    Args:
        job: What was asked for.
        runtime: Where it runs.
        auxiliaries: Networks of the method that take steps of their own.
        idle: Parameters of the student that no term reaches. They are frozen until `thaw`: they would stop DDP, and
            weight decay would shrink them.
        display: Shows the progress.
    """

    def __init__(
        self,
        job: Job,
        runtime: Runtime,
        *,
        auxiliaries: Auxiliaries,
        idle: Sequence[str],
        display: Display,
    ) -> None:
        self.trainable, self.teacher, self.training = job.trainable, job.teacher, job.training
        self.runtime, self.display, self.progress = runtime, display, Progress()
        self.auxiliaries, self.teacher_guard = auxiliaries, guards.TeacherGuard(job.teacher)
        self.scales = Scales(job.training, job.trainable.student, job.teacher)
        self.idle = [job.trainable.student.get_parameter(name).requires_grad_(False) for name in idle]
        self._load(job.data, job.trainable.task)
        others = [
            p
            for n, p in self.trainable.named_parameters()
            if p.requires_grad and not n.startswith("student.")
        ]
        optimizer = schedule.build_optimizer(self.trainable.student.net, others, self.training)
        optimized = {id(p) for group in optimizer.param_groups for p in group["params"]}
        self.adapter_guard = guards.AdapterGuard(self.trainable.method, optimized)
        self.ema = EMA(self.trainable.student, self.training.ema) if self.training.ema else None
        self.module, self.optimizer = runtime.setup(self.trainable, optimizer)
        self.refused = 0

    def _load(self, data: Data, task: Task) -> None:
        training, runtime = self.training, self.runtime
        self.sampler, self.loader = training_batches(
            data, task, training, rank=runtime.rank, world=runtime.world
        )
        self.batches = len(self.sampler) // training.accumulate * training.accumulate
        self.steps = self.batches * self.scales.per_batch // training.accumulate
        if not self.steps:
            raise SegDistillError(
                f"accumulate {training.accumulate} is more than the {len(self.sampler)} batches of an epoch."
            )

    def thaw(self) -> None:
        """Give parameters that were not reached back as they came."""
        for parameter in self.idle:
            parameter.requires_grad_(True)

    @property
    def is_over(self) -> bool:
        """Whether all epochs are done, or nothing has become better for too long."""
        patience = self.training.patience
        done = self.progress.epoch >= self.training.epochs
        return done or (patience is not None and self.progress.stale >= patience)

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
        for batch in self.runtime.each(self.loader):
            self.train_batch(self.runtime.move(batch))
            self.show()
            if progress.batch == self.batches:
                break
            if progress.batch % self.training.accumulate:
                continue  # half a step: its gradients are in no checkpoint
            stop = self.runtime.any(interrupt.requested)
            # A batch may take several steps: one of them was the one to save at.
            if stop or (every and progress.step % every < self.scales.per_batch):
                now = time.monotonic()
                progress.seconds, started = progress.seconds + now - started, now
                self.save(path)
            if stop:
                return False
        progress.seconds += time.monotonic() - started
        return True

    def train_batch(self, batch: Batch) -> None:
        """Take one batch on its device, at one scale or at each: gradients, and a step where enough have gathered."""
        progress = self.progress
        # Dropout and the like are a function of the batch too, so a resumed run draws the same numbers.
        torch.manual_seed(stable_seed(self.training.seed, progress.epoch, progress.batch, self.runtime.rank))
        moves = (progress.batch + 1) % self.training.accumulate == 0
        # The teacher answers once, for the images as they came; only the student sees them at a scale.
        answer = None if self.scales.ask_at_each else self._answer(batch)
        for seen in self.scales.views(batch, epoch=progress.epoch, index=progress.batch):
            hooks.show_progress(self.trainable.method, progress.step / (self.training.epochs * self.steps))
            self._learn(seen, self._answer(seen) if self.scales.ask_at_each else answer, moves=moves)
        progress.batch += 1

    def _answer(self, batch: Batch) -> dict[str, Tensor] | None:
        with self.runtime.forward():
            return None if self.teacher is None else flatten(self.teacher(batch))

    def _learn(self, batch: Batch, teacher: Mapping[str, Tensor] | None, *, moves: bool) -> None:
        with self.runtime.defer_gradients(self.module, when=not moves):
            with self.runtime.forward():
                terms: dict[str, Tensor] = self.module(batch.image, batch.mask, teacher)
            stacked = torch.stack(list(terms.values()))
            values = dict(zip(terms, stacked.tolist(), strict=True))  # the step's only wait for the device
            when = f"in step {self.progress.step + 1}"
            self.runtime.together(lambda: guards.check_finite(values, when))
            self.runtime.backward(stacked.sum() / self.training.accumulate)
        _add(self.progress.sums, values)
        if moves:
            self._move()

    def _move(self) -> None:
        progress, factor = self.progress, self._factor(self.progress.step)
        schedule.set_learning_rate(self.optimizer, factor)
        norm = self.runtime.clip(self.module, self.optimizer)
        none_taken = progress.step == self.refused  # a loss scaler may refuse the first ones
        if none_taken:
            self.adapter_guard.before_step()
        self._check_gradient(norm)
        self.optimizer.step()
        if none_taken and not self.refused:
            self.adapter_guard.after_step()
        self.optimizer.zero_grad()
        if self.ema:
            self.ema.update(self.trainable.student)
        when = f"in step {progress.step + 1}"
        _add(progress.auxiliary, self.auxiliaries.step(self.runtime, factor=factor, when=when))
        progress.step += 1

    def _check_gradient(self, norm: Tensor) -> None:
        # A loss scaler finds its scale by trying; a gradient that stays infinite is no search any more.
        self.refused = 0 if torch.isfinite(norm) else self.refused + 1
        if self.refused > (_SCALER_TRIES if self.runtime.scales_loss else 0):
            guards.check_gradient(norm, f"in step {self.progress.step + 1}")

    def _factor(self, step: int) -> float:
        return schedule.learning_rate_factor(step, steps_per_epoch=self.steps, training=self.training)

    def show(self) -> None:
        """Let a person see how far the epoch is, and the mean of every term over it."""
        progress, passes = self.progress, self.progress.batch * self.scales.per_batch
        means = _divided(progress.sums, passes)
        means |= _divided(progress.auxiliary, max(passes // self.training.accumulate, 1))
        self.display.step(progress.epoch, progress.batch, self.batches, means)

    def end_epoch(self) -> dict[str, float]:
        """Close the epoch's books: mean of every term over its batches, their scales and processes.

        The losses of auxiliary networks are their own, not part of the student's.
        """
        self.scales.reset()
        means = _divided(self._mean(self.progress.sums), self.batches * self.scales.per_batch)
        beside = _divided(self._mean(self.progress.auxiliary), self.steps)
        self.progress.sums, self.progress.auxiliary, self.progress.batch = {}, {}, 0
        self.progress.epoch += 1
        self.runtime.share_buffers(self.deployed)
        return {"loss": sum(means.values()), **means, **beside}

    def _mean(self, sums: dict[str, float]) -> dict[str, float]:
        """Sums so far, mean over processes."""
        if self.runtime.world == 1 or not sums:
            return sums
        values = torch.tensor(list(sums.values()), dtype=torch.float32, device=self.runtime.device)
        return dict(zip(sums, self.runtime.mean(values).tolist(), strict=True))

    def learning_rate(self) -> float:
        """The learning rate of the last step, of parameters at factor 1."""
        return self.training.lr * self._factor(max(self.progress.step - 1, 0))

    def save(self, path: Path) -> None:
        """Write the checkpoint."""
        self.progress.sums, self.progress.auxiliary = map(
            self._mean, (self.progress.sums, self.progress.auxiliary)
        )
        self.runtime.first(lambda: checkpoint.save(path, self.state()))

    def state(self) -> dict[str, Any]:
        """All that a resumed training needs."""
        return {
            "trainable": self.trainable.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "auxiliaries": self.auxiliaries.state(),
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
            self.auxiliaries.restore(state.get("auxiliaries", ()))
            if self.ema:
                self.ema.model.load_state_dict(state["ema"]["model"])
                self.ema.steps = state["ema"]["steps"]
        except (RuntimeError, ValueError, TypeError) as error:
            reason = str(error).splitlines()[-1].strip()
            raise SegDistillError(f"The checkpoint is of another student or method: {reason}") from error
        self.runtime.restore_scaler(state["scaler"])
        self.progress = Progress(**state["progress"])


def _add(sums: dict[str, float], values: Mapping[str, float]) -> None:
    for name, value in values.items():
        sums[name] = sums.get(name, 0.0) + value


def _divided(sums: Mapping[str, float], count: int) -> dict[str, float]:
    return {name: value / count for name, value in sums.items()}
