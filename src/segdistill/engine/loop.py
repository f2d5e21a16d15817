"""Train a network, or distil one into another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from segdistill import losses
from segdistill.core import Batch, Output, SegDistillError
from segdistill.data import Data, Seeded, collate
from segdistill.engine import checkpoint, guards, logs, results, run, weights
from segdistill.engine.interrupt import Interrupt
from segdistill.engine.run import Run
from segdistill.engine.runtime import Runtime
from segdistill.engine.session import Session
from segdistill.engine.trainable import Trainable
from segdistill.engine.training import Training
from segdistill.losses import Loss
from segdistill.methods import Method
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Task, to_plain
from segdistill.teachers import Teacher, TeacherSource


def train(
    model: Tapped | nn.Module,
    data: Data,
    *,
    out: Path | str,
    task: Task | None = None,
    loss: Loss | None = None,
    training: Training | None = None,
    config: Mapping[str, Any] | None = None,
    resume: bool = False,
    display: logs.Display | None = None,
) -> Run:
    """Train a network on labels alone: a teacher, or the student that distillation has to beat.

    Args:
        model: The network, trained in place; a bare module sees images in [0, 1] as they are.
        data: Training, validation and test samples.
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
    return _fit(model, None, data, None, out, task, loss, training, config, resume, display)


def distill(
    teacher: TeacherSource | Tapped | nn.Module,
    student: Tapped | nn.Module,
    data: Data,
    method: Method,
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
    source = Teacher(teacher) if isinstance(teacher, nn.Module) else teacher
    return _fit(student, source, data, method, out, task, loss, training, config, resume, display)


def _fit(
    model: Tapped | nn.Module,
    teacher: TeacherSource | None,
    data: Data,
    method: Method | None,
    out: Path | str,
    task: Task | None,
    loss: Loss | None,
    training: Training | None,
    config: Mapping[str, Any] | None,
    resume: bool,
    display: logs.Display | None,
) -> Run:
    path, task, training = Path(out), task or Binary(), training or Training()
    student = model if isinstance(model, Tapped) else Tapped(model)
    trainable = Trainable(student, task, loss or losses.default(task), method)
    config = config or _gathered(trainable, training)
    resume = resume and (path / "config.yaml").exists()
    if resume:
        run.check_same(path, config)
        if Run(path).is_finished:
            return Run(path, net=student)
    else:
        run.check_absent(path)
    # A run that was killed before its first checkpoint has nothing to go on with, and begins again.
    resume = resume and run.has_progress(path)
    data.check()
    with _enough_memory(training), torch.random.fork_rng(devices=[]):
        session = prepare(trainable, teacher, data, training, display, path if resume else None)
        if not resume:
            session.runtime.first(lambda: _create(path, config, session, data))
        _run(session, data, path)
    return Run(path, net=student)


def _create(path: Path, config: Mapping[str, Any], session: Session, data: Data) -> None:
    trainable = session.trainable
    run.create(path, config=config, model=run.describe(trainable.student, trainable.task))
    if data.split is not None:
        data.split.save(path / "split.json")


def prepare(
    trainable: Trainable,
    teacher: TeacherSource | None,
    data: Data,
    training: Training,
    display: logs.Display | None,
    resume_from: Path | None,
) -> Session:
    """Build everything on its device, and refuse what would not train what was asked for."""
    runtime = Runtime(training)
    student, method = trainable.student, trainable.method
    torch.manual_seed(training.seed)
    runtime.place(student)
    batch = runtime.move(_first_batch(data, training.seed))
    output = None if teacher is None else _teacher_output(trainable, teacher, batch, runtime)
    if method is not None and output is not None:
        student.tap(method.student_taps)
        student.eval()
        with runtime.forward(), torch.no_grad():
            guards.check_classes("student", mine := student(batch.image), trainable.task)
        method.build(mine, output, trainable.task)
    runtime.place(trainable)
    trainable.train()
    probe = guards.probe(trainable, batch, output, runtime.forward())
    guards.freeze(trainable, probe.idle)
    shown = display or (logs.display() if runtime.is_first else logs.Silence())
    session = Session(trainable, teacher, data, training=training, runtime=runtime, display=shown)
    session.progress.step0 = probe.terms
    if resume_from is not None:
        session.restore(checkpoint.load(resume_from / "last.ckpt"))
    return session


def _teacher_output(trainable: Trainable, teacher: TeacherSource, batch: Batch, runtime: Runtime) -> Output:
    guards.check_separate(trainable.student, teacher)
    if trainable.method is not None:
        teacher.tap(trainable.method.teacher_taps)
    teacher.to(runtime.device)
    with runtime.forward():
        output = teacher(batch)
    guards.check_classes("teacher", output, trainable.task)
    return output


def _first_batch(data: Data, seed: int) -> Batch:
    count = min(2, len(data.train))  # type: ignore[arg-type]
    if not count:
        raise SegDistillError("There are no training images. Name a folder that has some.")
    samples = Seeded(data.train, data.augment, seed=seed)
    return collate([samples[(0, index)] for index in range(count)])


def _run(session: Session, data: Data, path: Path) -> None:
    training, progress, runtime = session.training, session.progress, session.runtime
    guard = guards.TeacherGuard(session.teacher)
    log = logs.Log(path / "log.csv", until=progress.epoch)
    curves = logs.Curves(path / "tb") if runtime.is_first else None
    session.display.begin(progress.step0)
    try:
        with Interrupt() as interrupt:
            while progress.epoch < training.epochs and not _is_stale(session):
                if not session.run_epoch(interrupt, path / "last.ckpt"):
                    raise KeyboardInterrupt(
                        f"Saved {path} within epoch {progress.epoch + 1}. Go on with --resume."
                    )
                row = _end_epoch(session, data, path)
                guard.check()
                if runtime.is_first:
                    log.add(row)
                    session.display.row(row, epochs=training.epochs)
                if curves:
                    curves.add(row)
                if interrupt.requested and progress.epoch < training.epochs:
                    raise KeyboardInterrupt(
                        f"Saved {path} after epoch {progress.epoch}. Go on with --resume."
                    )
        results.finish(session, data, path)
    finally:
        session.display.close()
        if curves:
            curves.close()


def _is_stale(session: Session) -> bool:
    return session.training.patience is not None and session.progress.stale >= session.training.patience


def _end_epoch(session: Session, data: Data, path: Path) -> dict[str, float]:
    """Validate, keep the weights if they are the best, and write the checkpoint."""
    progress, training = session.progress, session.training
    lr = session.learning_rate()
    means = session.end_epoch()
    scores = results.score(session, data.val, session.deployed, session.runtime.forward()).compute()
    found = {"epoch": float(progress.epoch), "dice": scores["dice"], "iou": scores["iou"]}
    if not progress.best or found[training.monitor] > progress.best[training.monitor]:
        progress.best, progress.stale = found, 0
        _write_weights(session, path / "best.safetensors")
    else:
        progress.stale += 1
    _write_weights(session, path / "student.safetensors")
    session.save(path / "last.ckpt")
    return {
        "epoch": progress.epoch,
        "step": progress.step,
        "lr": lr,
        "seconds": progress.seconds,
        **means,
        "val_dice": scores["dice"],
        "val_iou": scores["iou"],
    }


def _write_weights(session: Session, path: Path) -> None:
    session.runtime.first(lambda: weights.save(path, session.deployed.net.state_dict()))


def _gathered(trainable: Trainable, training: Training) -> dict[str, Any]:
    """A configuration for runs that were started from Python, for people to read."""
    return {
        "task": to_plain(trainable.task),
        "student": run.describe(trainable.student, trainable.task)["class"],
        "method": str(trainable.method),
        "loss": str(trainable.loss),
        "training": training.as_dict(),
    }


@contextlib.contextmanager
def _enough_memory(training: Training) -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        half = max(1, training.batch_size // 2)
        raise SegDistillError(
            f"Out of memory at batch_size {training.batch_size} in precision {training.precision!r}. "
            f"Try batch_size={half} with accumulate={training.accumulate * 2}, or precision='bf16'."
        ) from error


def _is_out_of_memory(error: BaseException) -> bool:
    known = (MemoryError, torch.OutOfMemoryError)
    return (
        isinstance(error, known)
        or "can't allocate memory" in str(error)
        or "out of memory" in str(error).lower()
    )
