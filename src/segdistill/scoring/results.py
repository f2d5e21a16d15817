"""Scores of one protocol as JSON and CSV; its name and version stand beside every number."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.export.files import check_place, write_json, write_text
from segdistill.metrics.base import Metric

Row = Mapping[str, Any]

_STAMP = ("protocol", "version", "notes")


@dataclass(frozen=True)
class Scores:
    """What one protocol says of some sets.

    Attributes:
        protocol: Its name.
        version: Its version.
        sets: Means by set.
        per_image: One row per image or case by set, its `id` first.
        notes: What a reader of the numbers should know.
        files: What was scored, by set: folders as they were given.
    """

    protocol: str
    version: int
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)
    per_image: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, metric: Metric, *, several: bool = False) -> None:
        """Take in a set.

        Args:
            name: Its name.
            metric: What was measured.
            several: Whether there are other sets, so that a note on this one has to name it.

        Raises:
            SegDistillError: If the metric has no image to average over.
        """
        means = metric.compute()
        self.sets[name] = {key: plain(value) for key, value in means.items() if key not in _STAMP}
        self.per_image[name] = [plain(row) for row in metric.rows]
        prefix = f"{name}: " if several else ""
        self.note(*(prefix + note for note in means.get("notes", ()) if note not in self.notes))

    def note(self, *notes: str) -> None:
        """Add notes that are not there yet."""
        self.notes.extend(note for note in dict.fromkeys(notes) if note not in self.notes)

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, numbers in full."""
        return {
            "protocol": self.protocol,
            "version": self.version,
            "sets": self.sets,
            "files": self.files,
            "per_image": self.per_image,
            "notes": self.notes,
        }

    def to_csv(self, name: str) -> str:
        """The rows of a set as CSV; nested scores get dotted columns, curves stay in the JSON."""
        stamp = {"protocol": self.protocol, "version": self.version}
        rows = [{**dict(flat(row)), **stamp} for row in self.per_image[name]]
        columns = dict.fromkeys(key for row in rows for key in row if key not in stamp)
        text = io.StringIO()
        writer = csv.DictWriter(text, [*(columns or ("id",)), *stamp], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()


def json_files(path: Path, protocols: Sequence[str]) -> list[Path]:
    """Where the scores of each protocol go: several get a file each, so that every file explains itself.

    To be asked before the work, too, so that it is not lost.

    Raises:
        SegDistillError: If the place is a folder, or not writable.
    """
    check_place(path)
    stems = [path.stem] if len(protocols) == 1 else [file_name(path.stem, each) for each in protocols]
    return [check_place(path.with_name(stem + (path.suffix or ".json"))) for stem in stems]


def write_scores(scores: Sequence[Scores], path: Path) -> list[Path]:
    """Write each protocol's scores as JSON, and a CSV per set beside it, `NAME-SET.csv`.

    Several protocols get a file each, `NAME-PROTOCOL.json`. Files that are there already are replaced.

    Returns:
        The JSON files.

    Raises:
        SegDistillError: If the place is not writable.
    """
    files = json_files(path, [each.protocol for each in scores])
    for each, file in zip(scores, files, strict=True):
        for name in each.sets:
            write_text(csv_file(file, name), each.to_csv(name))
        write_json(file, each.as_dict())
    return files


def csv_file(json: Path, *parts: str) -> Path:
    """The CSV of a set, beside the JSON of all."""
    return json.with_name(file_name(json.stem, *parts) + ".csv")


def file_name(*parts: str) -> str:
    """Parts joined by dashes; slashes in them become underscores."""
    return "-".join(part.replace("/", "_") for part in parts)


def refuse_shared_files(labels: Iterable[str], sets: Iterable[str]) -> None:
    """Refuse runs whose files would be the same, such as those of `a/b` and `a_b`.

    Raises:
        SegDistillError: Naming two.
    """
    seen: dict[str, tuple[str, str]] = {}
    for label, name in product(labels, sets):
        other, its = seen.setdefault(file_name(label, name), (label, name))
        if (other, its) != (label, name):
            raise SegDistillError(
                f"The files of run {label!r} on {name} would be those of {other!r} on {its}: both are called "
                f"{file_name(label, name)!r}; rename one of the run folders, or evaluate them one by one."
            )


def flat(values: Row, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Scalars by dotted name; lists are left out."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        elif not isinstance(value, list | tuple):
            yield f"{prefix}{key}", value


def plain(value: Any) -> Any:
    """A value as JSON knows it: numpy's numbers become Python's, what is not finite becomes `None`."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
