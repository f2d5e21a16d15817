"""What a training is worth: scores of the last and of the best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from torch.utils.data import Dataset

from segdistill.data import Data
from segdistill.engine.evaluation import evaluate
from segdistill.engine.run import Run
from segdistill.engine.session import Session
from segdistill.export import files
from segdistill.metrics import Overlap
from segdistill.taps import Tapped


def score(
    session: Session, dataset: Dataset[Any], model: Tapped, context: AbstractContextManager[Any] | None = None
) -> Overlap:
    """Let every process score its share of the images, and merge."""
    runtime = session.runtime
    shard = (runtime.rank, runtime.world)
    mine = evaluate(model, dataset, task=session.trainable.task, context=context, shard=shard)
    first, *others = runtime.gather(mine)
    for other in others:
        first.merge(other)
    return first


def finish(session: Session, data: Data, path: Path) -> None:
    """Score both epochs' weights in float32 on every set, and write `metrics.json` and a table per test set."""
    last, progress = session.deployed, session.progress
    best = Run(path, net=last).student.to(session.runtime.device)
    validation, tests = _all_sets(session, data, best)
    is_best = progress.epoch == progress.best["epoch"]
    validation_last, tests_last = (validation, tests) if is_best else _all_sets(session, data, last)
    metrics = {
        "best": {"epoch": int(progress.best["epoch"]), **_summary(validation)},
        "last": {"epoch": progress.epoch, **_summary(validation_last)},
        "selection": _selection(session.training.monitor, validation),
        "seconds": progress.seconds,
        "step0": progress.step0,
        "idle_parameters": len(session.idle),
        "tests": {name: _summary(metric) for name, metric in tests.items()},
        "tests_last": {name: _summary(metric) for name, metric in tests_last.items()},
    }
    session.runtime.first(lambda: _write(path, metrics, tests))


def _selection(monitor: str, validation: Overlap) -> str:
    """What made the reported epoch the reported one."""
    images = validation.compute()["images"]
    return "the last epoch" if monitor == "last" else f"{monitor} on {images} validation images"


def _all_sets(session: Session, data: Data, model: Tapped) -> tuple[Overlap, dict[str, Overlap]]:
    """The model on the validation set, and on every test set."""
    return score(session, data.val, model), {n: score(session, d, model) for n, d in data.tests.items()}


def _write(path: Path, metrics: Mapping[str, Any], tests: Mapping[str, Overlap]) -> None:
    for name, metric in tests.items():
        files.write_text(path / "scores" / f"{name}.csv", metric.to_csv())
    files.write_json(path / "metrics.json", metrics)  # last, since it marks the run as finished


def _summary(metric: Overlap) -> dict[str, Any]:
    scores = metric.compute()
    return {key: scores[key] for key in ("dice", "iou", "images", "protocol", "version")}
