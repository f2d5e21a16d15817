"""Runs against test sets, for `evaluate`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.metrics import Overlap


@dataclass(frozen=True)
class Score:
    """One run on one test set.

    Attributes:
        run: Label of the run.
        name: Of the test set.
        means: Dice, IoU, how many images, and the protocol.
        csv: Dice and IoU of every image.
    """

    run: str
    name: str
    means: Mapping[str, Any]
    csv: str


def test_sets(folder: Path) -> dict[str, Path]:
    """Test sets by name: the folder itself, or its sub-folders, where they hold `images/` and `masks/`.

    Raises:
        SegDistillError: If there is none.
    """
    if not folder.is_dir():
        raise SegDistillError(f"There is no folder {str(folder)!r}.")
    if (folder / "images").is_dir():
        return {folder.resolve().name: folder}
    found = {path.name: path for path in sorted(folder.iterdir()) if (path / "images").is_dir()}
    if not found:
        raise SegDistillError(
            f"{str(folder)!r} holds no test set: neither it nor a folder in it has images/ and masks/."
        )
    return found


def score_runs(runs: Sequence[Path], sets: Mapping[str, Path]) -> list[Score]:
    """Score every run on every set; all are opened first, so that a wrong path answers at once."""
    from segdistill.data import FolderSet
    from segdistill.engine import Run, evaluate
    from segdistill.report.history import labelled

    opened = {label: Run.load(path) for label, path in labelled(runs).items()}
    data = {
        (label, name): FolderSet(path, classes=run.task.classes)
        for label, run in opened.items()
        for name, path in sets.items()
    }
    scores = []
    for label, run in opened.items():
        student = run.student
        for name in sets:
            scores.append(_score(label, name, evaluate(student, data[label, name], task=run.task)))
    return scores


def _score(run: str, name: str, metric: Overlap) -> Score:
    scores = metric.compute()
    kept = {key: scores[key] for key in ("dice", "iou", "images", "protocol")}
    return Score(run, name, kept, metric.to_csv())


def write(scores: Sequence[Score], path: Path) -> None:
    """Write means as JSON, and images as `NAME-RUN-SET.csv` beside it."""
    from segdistill.export.files import make_folder, write_bytes

    make_folder(path.parent)
    tests: dict[str, dict[str, Any]] = {}
    for each in scores:
        tests.setdefault(each.run, {})[each.name] = each.means
        name = f"{path.stem}-{each.run}-{each.name}.csv".replace("/", "_")
        write_bytes(path.with_name(name), each.csv.encode())
    write_bytes(path, (json.dumps(tests, indent=2) + "\n").encode())
