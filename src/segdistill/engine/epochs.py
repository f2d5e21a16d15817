"""Train epoch by epoch: validate, keep the best, log, write the checkpoint."""

from __future__ import annotations

from pathlib import Path

from segdistill.data import Data
from segdistill.engine import logs, results, weights
from segdistill.engine.interrupt import Interrupt
from segdistill.engine.session import Session


def run_epochs(session: Session, data: Data, path: Path) -> None:
    """Train to the end, or to an interruption, and score the result.

    Raises:
        KeyboardInterrupt: If it was interrupted; the checkpoint is written, and the message says how to go on.
        SegDistillError: If something goes wrong that would make the result meaningless.
    """
    books = _Books(session, path)
    session.display.begin(session.progress.step0)
    try:
        with Interrupt() as interrupt:
            while not session.is_over:
                _run_epoch(session, data, path, books, interrupt)
        results.finish(session, data, path)
    finally:
        session.scales.reset()
        books.close()


class _Books:
    """The records of a run: a table, curves and what a person sees; only the first process keeps them."""

    def __init__(self, session: Session, path: Path) -> None:
        self.session, done = session, session.progress.epoch
        self.log = logs.Log(path / "log.csv", until=done)
        self.curves = logs.Curves(path / "tb", after=done) if session.runtime.is_first else None

    def add(self, row: dict[str, float]) -> None:
        if self.curves:
            self.log.add(row)
            self.curves.add(row)
            self.session.display.row(row, epochs=self.session.training.epochs)

    def close(self) -> None:
        self.session.display.close()
        if self.curves:
            self.curves.close()


def _run_epoch(session: Session, data: Data, path: Path, books: _Books, interrupt: Interrupt) -> None:
    progress, runtime = session.progress, session.runtime
    if not session.run_epoch(interrupt, path / "last.ckpt"):
        raise KeyboardInterrupt(f"Saved {path} within epoch {progress.epoch + 1}. Go on with --resume.")
    row = _end_epoch(session, data, path)
    session.teacher_guard.check()
    runtime.first(lambda: books.add(row))
    session.save(path / "last.ckpt")  # last: a kill before it repeats the epoch, row and all
    if runtime.any(interrupt.requested) and not session.is_over:
        raise KeyboardInterrupt(f"Saved {path} after epoch {progress.epoch}. Go on with --resume.")


def _end_epoch(session: Session, data: Data, path: Path) -> dict[str, float]:
    """Validate, keep the weights if they are the best, and give the epoch's row."""
    progress, monitor = session.progress, session.training.monitor
    rate, means = session.learning_rate(), session.end_epoch()
    scores = results.score(session, data.val, session.deployed, session.runtime.forward()).compute()
    found = {"epoch": float(progress.epoch), "dice": scores["dice"], "iou": scores["iou"]}
    if monitor == "last" or not progress.best or found[monitor] > progress.best[monitor]:
        progress.best, progress.stale = found, 0
        _write_weights(session, path / "best.safetensors")
    else:
        progress.stale += 1
    _write_weights(session, path / "student.safetensors")
    return {
        "epoch": progress.epoch,
        "step": progress.step,
        "lr": rate,
        "seconds": progress.seconds,
        **means,
        "val_dice": scores["dice"],
        "val_iou": scores["iou"],
    }


def _write_weights(session: Session, path: Path) -> None:
    session.runtime.first(lambda: weights.save(path, session.deployed.net.state_dict()))
