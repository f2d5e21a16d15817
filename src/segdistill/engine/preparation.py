"""Build everything that a training needs, and refuse what would not train what was asked for."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from segdistill.core import Batch, Output, SegDistillError
from segdistill.data import Data, Seeded, collate
from segdistill.engine import checkpoint, guards, logs, samples
from segdistill.engine.job import Job
from segdistill.engine.memory import is_out_of_memory
from segdistill.engine.runtime import Runtime
from segdistill.engine.session import Session
from segdistill.engine.trainable import Trainable
from segdistill.taps import Tapped


def prepare(job: Job, *, resume: bool = False) -> Session:
    """Make a session, ready for its first step or for the step after the last checkpoint.

    Args:
        job: What was asked for.
        resume: Restore the run's checkpoint.

    Raises:
        SegDistillError: If data, networks, task and method do not fit each other, or a term would train nothing.
    """
    trainable, training = job.trainable, job.training
    samples.check_data(job.data, trainable.task)
    runtime = Runtime(training)
    torch.manual_seed(training.seed)
    runtime.place(trainable.student)
    batch = runtime.move(_first_batch(job.data, training.seed))
    output = _teacher_output(job, batch, runtime)
    _build(trainable, batch, output, runtime.forward())
    with runtime.forward(), torch.no_grad():
        samples.check_sizes(trainable.student.eval(), job.data, runtime.device)
    runtime.place(trainable)
    probe = guards.probe(
        trainable.train(), batch, output, context=runtime.forward(), scale=runtime.loss_scale
    )
    session = Session(job, runtime, idle=probe.idle, display=_display(job, runtime))
    session.progress.step0 = probe.terms
    if resume:
        session.restore(checkpoint.load(job.out / "last.ckpt"))
    return session


def _first_batch(data: Data, seed: int) -> Batch:
    # Two images: the least that batch norm takes.
    augmented = Seeded(data.train, data.augment, seed=seed)
    return collate([augmented[(0, index)] for index in range(min(2, len(augmented)))])


def _teacher_output(job: Job, batch: Batch, runtime: Runtime) -> Output | None:
    teacher, trainable = job.teacher, job.trainable
    if teacher is None:
        return None
    guards.check_separate(trainable.student, teacher)
    if trainable.method is not None:
        teacher.tap(trainable.method.teacher_taps)
    teacher.to(runtime.device)
    with runtime.forward():
        output = teacher(batch)
    guards.check_classes("teacher", output, trainable.task)
    return output


def _build(
    trainable: Trainable, batch: Batch, teacher: Output | None, context: AbstractContextManager[Any]
) -> None:
    """Check the student's classes, and let the method create its adapters from real shapes."""
    student, method = trainable.student, trainable.method
    if method is not None:
        student.tap(method.student_taps)
    student.eval()
    with context, torch.no_grad():
        output = _try(student, batch)
    guards.check_classes("student", output, trainable.task)
    if method is not None and teacher is not None:
        method.build(output, teacher, trainable.task)


def _try(student: Tapped, batch: Batch) -> Output:
    try:
        return student(batch.image)  # type: ignore[no-any-return]
    except (RuntimeError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        raise SegDistillError(
            f"The student fails on images of {tuple(batch.image.shape[1:])}: {str(error).splitlines()[0]}"
        ) from error


def _display(job: Job, runtime: Runtime) -> logs.Display:
    return job.display or (logs.display() if runtime.is_first else logs.Silence())
