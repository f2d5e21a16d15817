"""Runs against test sets, for `evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.cli.beside import add_speed, averages, draw
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.export.layouts import MapFiles
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
    found = {path.name: path for path in sorted(folder.iterdir()) if _is_set(path)}
    if not found:
        raise SegDistillError(
            f"{str(folder)!r} holds no test set: neither it nor a folder in it has images/ and masks/."
        )
    return found


def _is_set(folder: Path) -> bool:
    return (folder / "images").is_dir() and (folder / "masks").is_dir()


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


def check_place(path: Path | None, protocols: Sequence[Protocol]) -> None:
    """Refuse a place for the scores before they are computed.

    Raises:
        SegDistillError: If it is a folder, or not writable.
    """
    from segdistill.scoring.results import json_files

    if path:
        json_files(path, [each.name for each in protocols])


def score_runs(
    runs: Sequence[Path],
    sets: Mapping[str, Path],
    protocols: Sequence[Protocol],
    *,
    device: str,
    files: Callable[[str], MapFiles] | None = None,
    visuals: Path | None = None,
) -> dict[str, list[Scores]]:
    """Score every run on every set, by run; all are opened first, so that a wrong path answers at once.

    Args:
        runs: Run folders and checkpoints.
        sets: Test sets by name.
        protocols: How to score.
        device: Where the networks run, by name.
        files: Where the maps of a run are written, by its label.
        visuals: Where panels of the first images go: `SET/NAME.png`, with several runs `RUN/SET/NAME.png`.
    """
    from segdistill.data import FolderSet
    from segdistill.engine import evaluate_by, open_trained
    from segdistill.report.history import labelled
    from segdistill.scoring import Scores
    from segdistill.scoring.results import refuse_shared_files

    by_label = labelled(runs)
    refuse_shared_files(by_label, sets)
    opened = {label: open_trained(path, device=device) for label, path in by_label.items()}
    data = {
        (label, name): FolderSet(path, classes=run.task.classes)
        for label, run in opened.items()
        for name, path in sets.items()
    }
    writers = {(label, name): files(label).of_set(name) for label, name in data} if files else {}
    panels = {key: _panels(visuals, *key, several=len(opened) > 1) for key in data} if visuals else {}
    found = {label: [Scores(each.name, each.version) for each in protocols] for label in opened}
    for label, run in opened.items():
        for name in sets:
            metrics = evaluate_by(
                run.net, data[label, name], protocols, task=run.task, see=writers.get((label, name))
            )
            for scores, protocol in zip(found[label], protocols, strict=True):
                scores.note(*filter(None, [*protocol.notes, run.note]))
                scores.add(name, metrics[protocol.name], several=len(sets) > 1)
                scores.files[name] = {"run": str(by_label[label]), "data": str(sets[name])}
            if visuals:
                draw(run, data[label, name], panels[label, name])
        add_speed(run.net, {name: data[label, name] for name in sets}, found[label], label=label)
    return found


def _panels(root: Path, label: str, name: str, *, several: bool) -> Path:
    from segdistill.export.files import check_unused
    from segdistill.scoring.results import file_name

    return check_unused((root / file_name(label) if several else root) / name, "--save-visuals")


def write(runs: Mapping[str, Sequence[Scores]], path: Path) -> None:
    """Write means by run and set and their averages as JSON, and images as `NAME-RUN-SET.csv` beside it.

    Several protocols get a file each, `NAME-PROTOCOL.json`.
    """
    from segdistill.export.files import write_json, write_text
    from segdistill.scoring.results import csv_file, json_files

    files = json_files(path, [each.protocol for each in next(iter(runs.values()))])
    for file, of_protocol in zip(files, zip(*runs.values(), strict=True), strict=True):
        by_run = dict(zip(runs, of_protocol, strict=True))
        for label, scores in by_run.items():
            for name in scores.sets:
                write_text(csv_file(file, label, name), scores.to_csv(name))
        write_json(file, {label: _stamped(scores) for label, scores in by_run.items()})


def _stamped(scores: Scores) -> dict[str, dict[str, Any]]:
    from segdistill.report.comparison.files import AVERAGES

    stamp = {"protocol": scores.protocol, "version": scores.version, "notes": scores.notes}
    stamped = {name: {**means, **stamp, **scores.files[name]} for name, means in scores.sets.items()}
    over_sets = averages(scores)
    return {**stamped, AVERAGES: over_sets} if over_sets else stamped
