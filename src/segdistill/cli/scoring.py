"""Runs against test sets, for `evaluate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.metrics import Protocol
    from segdistill.scoring import Scores


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


def find_protocols(names: str) -> list[Protocol]:
    """Look up protocols, `NAME[,NAME]`.

    Raises:
        SegDistillError: If there is no such protocol; names the nearest.
    """
    from segdistill.metrics import find_protocol

    wanted = dict.fromkeys(name.strip() for name in names.split(",") if name.strip())
    if not wanted:
        raise SegDistillError("--protocol names no protocol; name one, such as dice@0.5.")
    return [find_protocol(name) for name in wanted]


def score_runs(
    runs: Sequence[Path], sets: Mapping[str, Path], protocols: Sequence[Protocol]
) -> dict[str, list[Scores]]:
    """Score every run on every set, by run; all are opened first, so that a wrong path answers at once."""
    from segdistill.data import FolderSet
    from segdistill.engine import Run, evaluate_by
    from segdistill.report.history import labelled
    from segdistill.scoring import Scores

    opened = {label: Run.load(path) for label, path in labelled(runs).items()}
    data = {
        (label, name): FolderSet(path, classes=run.task.classes)
        for label, run in opened.items()
        for name, path in sets.items()
    }
    found = {label: [Scores(each.name, each.version) for each in protocols] for label in opened}
    for label, run in opened.items():
        student = run.student
        for name in sets:
            metrics = evaluate_by(student, data[label, name], protocols, task=run.task)
            for scores, protocol in zip(found[label], protocols, strict=True):
                scores.note(*protocol.notes)
                scores.add(name, metrics[protocol.name])
    return found


def write(runs: Mapping[str, Sequence[Scores]], path: Path) -> None:
    """Write means by run and set as JSON, and images as `NAME-RUN-SET.csv` beside it.

    Several protocols get a file each, `NAME-PROTOCOL.json`.
    """
    from segdistill.export.files import make_folder, write_json, write_text
    from segdistill.scoring.results import file_name

    make_folder(path.parent)
    for of_protocol in zip(*runs.values(), strict=True):
        first, by_run = of_protocol[0], dict(zip(runs, of_protocol, strict=True))
        stem = path.stem if len(next(iter(runs.values()))) == 1 else file_name(path.stem, first.protocol)
        for label, scores in by_run.items():
            for name in scores.sets:
                write_text(path.with_name(file_name(stem, label, name) + ".csv"), scores.to_csv(name))
        means = {label: _stamped(scores) for label, scores in by_run.items()}
        write_json(path.with_name(stem + (path.suffix or ".json")), means)


def _stamped(scores: Scores) -> dict[str, dict[str, Any]]:
    stamp = {"protocol": scores.protocol, "version": scores.version, "notes": scores.notes}
    return {name: {**means, **stamp} for name, means in scores.sets.items()}
