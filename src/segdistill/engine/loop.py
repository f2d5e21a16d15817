"""Train a network, or distil one into another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from segdistill.data import Data
from segdistill.engine import begun, logs, run
from segdistill.engine.epochs import run_epochs
from segdistill.engine.job import Job, job
from segdistill.engine.memory import enough_memory
from segdistill.engine.preparation import prepare
from segdistill.engine.run import Run
from segdistill.engine.training import Training
from segdistill.losses import Loss
from segdistill.methods import Method
from segdistill.taps import Tapped
from segdistill.tasks import Task
from segdistill.teachers import TeacherSource


def train(
    model: Tapped | nn.Module,
    data: Data,
    *,
    out: Path | str,
    method: Method | Sequence[Method] | None = None,
    task: Task | None = None,
    loss: Loss | None = None,
    training: Training | None = None,
    config: Mapping[str, Any] | None = None,
    resume: bool = False,
    display: logs.Display | None = None,
) -> Run:
    """Train a network without a teacher: to become one, or as the student that distillation has to beat.

    Args:
        model: The network, trained in place; a bare module sees images in [0, 1] as they are.
        data: Training, validation and test samples.
        out: Folder of the run.
        method: What to learn beside the labels without a teacher, such as `LabelSmoothing()`; nothing if not given.
        task: What the labels mean; `Binary()` if not given.
        loss: Supervised loss; Dice plus cross-entropy if not given.
        training: The schedule.
        config: What to write as the run's configuration; gathered from the arguments if not given.
        resume: Go on where a run of the same configuration stopped.
        display: Shows the progress; a bar on a terminal and lines elsewhere if not given.

    Raises:
        SegDistillError: For everything that would train something else than what was asked for.
    """
    return _fit(
        job(
            model,
            data,
            out=out,
            method=method,
            task=task,
            loss=loss,
            training=training,
            config=config,
            resume=resume,
            display=display,
        )
    )


def distill(
    teacher: TeacherSource | Tapped | nn.Module,
    student: Tapped | nn.Module,
    data: Data,
    method: Method | Sequence[Method],
    *,
    out: Path | str,
    task: Task | None = None,
    loss: Loss | None = None,
    training: Training | None = None,
    config: Mapping[str, Any] | None = None,
    resume: bool = False,
    display: logs.Display | None = None,
) -> Run:
    """Distil a teacher into a student.

    Args:
        teacher: The network to learn from, or another source of its output. It is not changed.
        student: The network to train, in place; a bare module sees images in [0, 1] as they are.
        data: Training, validation and test samples.
        method: What to learn from the teacher, such as `KD() + AT(taps="e4")`.
        out: Folder of the run.
        task: What the labels mean; `Binary()` if not given.
        loss: Supervised loss; Dice plus cross-entropy if not given.
        training: The schedule.
        config: What to write as the run's configuration; gathered from the arguments if not given.
        resume: Go on where a run of the same configuration stopped.
        display: Shows the progress; a bar on a terminal and lines elsewhere if not given.

    Raises:
        SegDistillError: For everything that would train something else than what was asked for.
    """
    return _fit(
        job(
            student,
            data,
            out=out,
            teacher=teacher,
            method=method,
            task=task,
            loss=loss,
            training=training,
            config=config,
            resume=resume,
            display=display,
        )
    )


def _fit(job: Job) -> Run:
    path, student = job.out, job.trainable.student
    resume = job.resume and (path / "config.yaml").exists()
    if resume:
        begun.check_options(path, job.config)
        begun.check_teacher(path, job.teacher)
        begun.check_data(path, job.data)
        if Run(path).is_finished:
            return Run(path, net=student)
    else:
        run.check_absent(path, resume=job.resume)
    # A run that was killed before its first checkpoint has nothing to go on with, and begins again.
    resume = resume and run.has_checkpoint(path)
    job.data.check()
    with enough_memory(job.training), torch.random.fork_rng(devices=[]):
        session = prepare(job, resume=resume)
        try:
            if not resume:
                session.runtime.first(lambda: _create(job))
            run_epochs(session, job.data, path)
        except Exception:
            if session.runtime.is_first:
                run.remove_unless_saved(path)
            raise
        finally:
            session.thaw()
    return Run(path, net=student)


def _create(job: Job) -> None:
    run.create(
        job.out,
        config=job.config,
        model=run.describe(job.trainable.student, job.trainable.task),
        facts=begun.facts(job.data, job.teacher),
    )
    if job.data.split is not None:
        job.data.split.save(job.out / "split.json")
