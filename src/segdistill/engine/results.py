"""What a training is worth: scores of the last and of the best epoch."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from torch.utils.data import Dataset

from segdistill.data import Data
from segdistill.engine.evaluation import evaluate
from segdistill.engine.run import Run
from segdistill.engine.session import Session
from segdistill.export import files
from segdistill.metrics import Calibration, Metric, Overlap, by_size
from segdistill.taps import Tapped
from segdistill.tasks import Multilabel, Task

M = TypeVar("M", bound=Metric)


class Judged(NamedTuple):
    """What is stored of a test set: overlap and calibration."""

    overlap: Overlap
    calibration: Calibration


def score(
    session: Session, dataset: Dataset[Any], model: Tapped, context: AbstractContextManager[Any] | None = None
) -> Overlap:
    """Let every process score its share of the images, and merge."""
    return _pooled(session, _share(session, dataset, model, context=context))


def judge(session: Session, dataset: Dataset[Any], model: Tapped) -> Judged:
    """The same, with what the probabilities are worth."""
    calibration = Calibration(session.trainable.task)
    overlap = _share(session, dataset, model, calibration=calibration)
    return Judged(_pooled(session, overlap), _pooled(session, calibration))


def _share(session: Session, dataset: Dataset[Any], model: Tapped, **options: Any) -> Overlap:
    """The scores of this process's images; a mistake in any of them stops all processes."""
    shard, task = (session.runtime.rank, session.runtime.world), session.trainable.task
    return session.runtime.together(lambda: evaluate(model, dataset, task=task, shard=shard, **options))


def _pooled(session: Session, metric: M) -> M:
    first, *others = session.runtime.gather(metric)
    for other in others:
        first.merge(other)
    return first


def finish(session: Session, data: Data, path: Path) -> None:
    """Score both epochs' weights in float32 on every set, and write `metrics.json` and the files of every test set."""
    last, progress = session.deployed, session.progress
    best = Run(path, net=last).student.to(session.runtime.device)
    validation = score(session, data.val, best)
    judged = {name: judge(session, dataset, best) for name, dataset in data.tests.items()}
    tests = {name: each.overlap for name, each in judged.items()}
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
    session.runtime.first(lambda: _write(path, metrics, judged))


def _selection(monitor: str, validation: Overlap) -> str:
    """What made the reported epoch the reported one."""
    images = validation.compute()["images"]
    return "the last epoch" if monitor == "last" else f"{monitor} on {images} validation images"


def _all_sets(session: Session, data: Data, model: Tapped) -> tuple[Overlap, dict[str, Overlap]]:
    """The model on the validation set, and on every test set."""
    return score(session, data.val, model), {n: score(session, d, model) for n, d in data.tests.items()}


def _write(path: Path, metrics: Mapping[str, Any], tests: Mapping[str, Judged]) -> None:
    for name, judged in tests.items():
        files.write_text(path / "scores" / f"{name}.csv", judged.overlap.to_csv())
        files.write_json(path / "scores" / f"{name}.json", details(judged))
    files.write_json(path / "metrics.json", metrics)  # last, since it marks the run as finished


def _summary(metric: Overlap) -> dict[str, Any]:
    scores = metric.compute()
    return {key: scores[key] for key in ("dice", "iou", "images", "protocol", "version")}


def details(judged: Judged) -> dict[str, Any]:
    """What `scores/NAME.json` holds: calibration, and Dice by size where there is one foreground."""
    task: Task = judged.overlap.task
    one_foreground = len(task.classes) == 2 and not isinstance(task, Multilabel)
    sizes = {"sizes": by_size(judged.overlap.rows)} if one_foreground else {}
    return {"calibration": judged.calibration.compute(), **sizes}
