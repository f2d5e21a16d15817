"""Build everything that a training needs, and refuse what would not train what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from segdistill.core import Batch, Output, SegDistillError
from segdistill.data import Seeded
from segdistill.engine import checkpoint, guards, hooks, logs, run, samples
from segdistill.engine.auxiliary import Auxiliaries
from segdistill.engine.batches import Labelled
from segdistill.engine.fractions import check_fractions
from segdistill.engine.job import Job
from segdistill.engine.memory import is_out_of_memory
from segdistill.engine.runtime import Runtime
from segdistill.engine.session import Session
from segdistill.engine.trainable import detached
from segdistill.taps import Tapped
from segdistill.tasks import check_channels
from segdistill.teachers import Cached


def prepare(job: Job, *, resume: bool = False) -> Session:
    """Make a session, ready for its first step or for the step after the last checkpoint.

    Args:
        job: What was asked for.
        resume: Restore the run's checkpoint.

    Raises:
        SegDistillError: If data, networks, task and method do not fit each other, or a term would train nothing.
    """
    trainable, training = job.trainable, job.training
    hooks.check_batch_size(trainable.method, training)
    scored = samples.check_data(job.data, trainable.task)
    job = _with_maps(job)
    runtime = Runtime(training)
    torch.manual_seed(training.seed)
    runtime.place(trainable.student)
    batch = runtime.move(_first_batch(job, training.seed))
    check_fractions(job, batch)
    teacher = _build(job, batch, runtime)
    with runtime.forward(), torch.no_grad():
        samples.check_sizes(trainable.student.eval(), scored, runtime.device)
    runtime.place(trainable)
    saved = checkpoint.load(job.out / "last.ckpt") if resume else None
    if saved is not None:
        run.check_best(job.out, saved["progress"]["best"])
    if saved is None:
        hooks.prepare(trainable.method, _teach(job, runtime), job.data, trainable.task, training, runtime)
    else:
        hooks.recall(trainable.method, saved["trainable"])
    auxiliaries = Auxiliaries(trainable)
    hooks.show_progress(trainable.method, 0.0)
    probe = guards.probe(
        trainable.train(), batch, teacher, context=runtime.forward(), scale=runtime.loss_scale
    )
    session = Session(job, runtime, auxiliaries=auxiliaries, idle=probe.idle, display=_display(job, runtime))
    session.progress.step0 = probe.terms
    if saved is not None:
        session.restore(saved)
    return session


def _with_maps(job: Job) -> Job:
    """Let the loader bring the maps of a teacher that was cached, once they are known to be of this data."""
    teacher, trainable = job.teacher, job.trainable
    if not isinstance(teacher, Cached):
        return job
    if trainable.method is not None:
        teacher.tap(trainable.method.teacher_taps)
    return replace(job, data=replace(job.data, maps=teacher.maps(job.data, trainable.task)))


def _first_batch(job: Job, seed: int) -> Batch:
    augmented = Seeded(job.data.train, job.data.augment, seed=seed, maps=job.data.maps)
    count = min(hooks.probe_images(job.trainable.method), len(augmented))
    return Labelled(job.trainable.task)([augmented[(0, index)] for index in range(count)])


def _build(job: Job, batch: Batch, runtime: Runtime) -> Output | None:
    """Check both networks' classes, and let the method create its adapters from real shapes.

    Returns:
        The teacher's output; `None` where there is no teacher.
    """
    student, method, task = job.trainable.student, job.trainable.method, job.trainable.task
    teacher = _teacher_output(job, batch, runtime)
    student.tap(job.trainable.loss.taps)
    if method is not None:
        student.tap(method.student_taps)
        if teacher is None:  # then the student's own output stands for the teacher's
            student.tap(method.teacher_taps)
    student.eval()
    with runtime.forward(), torch.no_grad():
        output = _try(student, batch)
    check_channels(output.logits, task, role="student")
    if method is not None:
        if job.teacher is not None:
            hooks.examine(method, job.teacher)
        method.build(output, detached(output) if teacher is None else teacher, task)
    return teacher


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
    check_channels(output.logits, trainable.task, role="teacher")
    return output


def _teach(job: Job, runtime: Runtime) -> Callable[[Batch], Output]:
    """What answers a batch while the method prepares: the teacher, or the student as it begins."""

    def teach(batch: Batch) -> Output:
        with runtime.forward(), torch.no_grad():
            return job.trainable.student.eval()(batch.image) if job.teacher is None else job.teacher(batch)

    return teach


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
