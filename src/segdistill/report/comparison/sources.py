"""Scores per image, wherever they lie: in a run folder, or in the JSON of `score` and `evaluate`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.report.comparison import files
from segdistill.report.comparison.measures import is_score, repeats
from segdistill.report.comparison.names import seed_of
from segdistill.report.objects import part_of, read_object
from segdistill.report.runs import read_run

#: Scores of one column by image or case; NaN where there is none.
Column = Mapping[str, float]

_ROUNDED = 1e-6  # what other programs leave of a mean


@dataclass(frozen=True)
class Table:
    """The scores of one run on one test set by one protocol.

    Attributes:
        protocol: Its name.
        version: Of the protocol.
        ids: Images or cases.
        columns: Scores by name and id.
        unit: What a row is: `"images"` or `"cases"`.
        pooled: Columns whose mean is not the score of the set, which is then no mean over rows.
        files: What was scored: `run`, and `data` where it is known, or the folders `pred` and `gt`; empty if nothing
            says it.
    """

    protocol: str
    version: int
    ids: frozenset[str]
    columns: Mapping[str, Column]
    unit: str = "images"
    pooled: frozenset[str] = frozenset()
    files: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """One run's scores.

    Attributes:
        path: Run folder or JSON file.
        tables: By test set.
        part: The run's name within a JSON file that holds several.
        seed: Of the training; `None` if unknown.
    """

    path: Path
    tables: Mapping[str, Table]
    part: str = ""
    seed: int | None = None

    @property
    def name(self) -> str:
        """As it was given."""
        return f"{self.path}:{self.part}" if self.part else str(self.path)


def read(path: str | Path) -> Source:
    """Read the scores of a run folder, of a JSON file, or of one run in it as `FILE.json:RUN`.

    Raises:
        SegDistillError: If there is no such thing, it holds no scores per image, or it is damaged.
    """
    place, part = _parted(str(path))
    if place.is_dir():
        return _from_folder(place)
    if not place.exists():
        raise SegDistillError(f"There is no run folder or JSON file {str(path)!r}.")
    if place.suffix.lower() != ".json":
        raise SegDistillError(
            f"{place} is neither a run folder nor the JSON of score or evaluate; leave it out."
        )
    return Source(place, *_from_json(place, part))


def _parted(text: str) -> tuple[Path, str]:
    """`scores.json:baseline` as file and name; a path that exists is taken as it is."""
    file, colon, name = text.rpartition(":")
    if colon and file.lower().endswith(".json") and not Path(text).exists():
        return Path(file), name
    return Path(text), ""


def _from_folder(folder: Path) -> Source:
    summary = read_run(folder)
    if not summary.scores:
        raise SegDistillError(
            f"{folder} has no scores/SET.csv: its training is not finished, or it had no test set. "
            f"Score it with segdistill evaluate, and compare the JSON."
        )
    file = folder / "metrics.json"
    means = part_of(summary.metrics, "tests", dict, file)
    tables = {
        name: _table(
            part_of(means, name, dict, file),
            columns,
            folder / "scores" / f"{name}.csv",
            scored={"run": str(folder)},
        )
        for name, columns in summary.scores.items()
    }
    return Source(folder, tables, seed=seed_of(folder))


def _from_json(file: Path, part: str) -> tuple[dict[str, Table], str]:
    content = read_object(file, otherwise="holds no scores")
    if "per_image" not in content:
        return _from_evaluation(file, content, part)
    if part:
        raise SegDistillError(f"{file} holds the scores of one network; leave {':' + part!r} out.")
    stamp = {"protocol": content.get("protocol"), "version": content.get("version", 1)}
    sets, rows, scored = (part_of(content, key, dict, file) for key in ("sets", "per_image", "files"))
    tables = {
        name: _table(
            {**part_of(sets, name, dict, file), **stamp},
            files.columns(part_of(rows, name, list, file), file),
            file,
            scored=part_of(scored, name, dict, file),
        )
        for name in rows
    }
    return tables, ""


def _from_evaluation(file: Path, content: Mapping[str, Any], part: str) -> tuple[dict[str, Table], str]:
    """`{run: {set: means}}`, with the images in CSV files beside it."""
    from segdistill.scoring.results import csv_file

    run = files.choose_run(file, content, part)
    tables = {}
    for name, means in part_of(content, run, dict, file).items():
        if name == files.AVERAGES:
            continue
        table = csv_file(file, run, name)
        scored = {key: means[key] for key in ("run", "data") if key in means}
        tables[name] = _table(means, files.columns(files.read_csv(table), table), table, scored=scored)
    return tables, run if part else ""


def _table(
    means: Mapping[str, Any], columns: Mapping[str, Column], file: Path, *, scored: Mapping[str, Any]
) -> Table:
    if not means.get("protocol"):
        raise SegDistillError(
            f"Nothing says by which protocol {file} was scored: the means beside it name none. Score it again."
        )
    ids = frozenset(name for column in columns.values() for name in column)
    scores = {
        name: column for name, column in columns.items() if is_score(name) and not repeats(name, columns)
    }
    unit = "cases" if "cases" in means else "images"
    pooled = frozenset(name for name, column in scores.items() if _differs(column.values(), means.get(name)))
    return Table(str(means["protocol"]), _version(means, file), ids, scores, unit, pooled, scored)


def _version(means: Mapping[str, Any], file: Path) -> int:
    # Numbers of the time before versions were written down follow the first.
    version = means.get("version", 1)
    if not isinstance(version, int):
        raise SegDistillError(
            f"{file} is damaged: the version of its protocol is {version!r}, and no whole number."
        )
    return version


def _differs(values: Iterable[float], mean: Any) -> bool:
    known = [value for value in values if not math.isnan(value)]
    return bool(known) and isinstance(mean, float) and abs(math.fsum(known) / len(known) - mean) > _ROUNDED
