"""Tables of scores as files hold them: JSON, or CSV with text in every cell."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError, unknown

#: What `evaluate` writes beside the sets of a run: means over all of them.
AVERAGES = "averages"


def read_csv(file: Path) -> list[dict[str, str]]:
    """Read the rows of a table.

    Raises:
        SegDistillError: If there is none.
    """
    if not file.is_file():
        raise SegDistillError(f"There is no {file}: evaluate writes it beside its JSON; keep them together.")
    try:
        return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SegDistillError(f"Cannot read {file}: {error}.") from None


def choose_run(file: Path, content: Mapping[str, Any], wanted: str) -> str:
    """Find the run that is meant in the JSON of `evaluate`.

    Raises:
        SegDistillError: If the file is something else, or it is not clear which run.
    """
    sets = [each for run in content.values() if isinstance(run, Mapping) for each in run.values()]
    if not sets or not all(isinstance(each, Mapping) for each in sets):
        raise SegDistillError(f"{file} holds no scores per image; give the JSON of score or evaluate.")
    if wanted and wanted not in content:
        raise unknown(f"run in {file}", wanted, content)
    if not wanted and len(content) > 1:
        raise SegDistillError(
            f"{file} holds several runs: {', '.join(content)}. Name one as {file}:{next(iter(content))}."
        )
    return wanted or next(iter(content))


def columns(rows: Sequence[Mapping[str, Any]], file: Path) -> dict[str, dict[str, float]]:
    """Turn rows into columns of numbers by id; nested scores get dotted names, columns of text are left out.

    Args:
        rows: With an `id` each.
        file: Where they come from, for messages.

    Raises:
        SegDistillError: If an id is missing or comes twice.
    """
    from segdistill.scoring.results import flat

    flattened: dict[str, dict[str, Any]] = {}
    for row in rows:
        name = row.get("id") if isinstance(row, Mapping) else None
        if name is None:
            raise SegDistillError(f"{file} is damaged: a row has no id.")
        if str(name) in flattened:
            raise SegDistillError(f"{file} is damaged: {name!r} is listed twice.")
        flattened[str(name)] = dict(flat(row))
    names = dict.fromkeys(key for row in flattened.values() for key in row if key != "id")
    return {
        key: {i: value for i, value in column.items() if value is not None}
        for key in names
        if None not in (column := {i: _number(row.get(key)) for i, row in flattened.items()}).values()
    }


def _number(value: Any) -> float | None:
    """A finite number; NaN where there is none; `None` for what cannot be a number."""
    if value is None or value == "":
        return math.nan
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else math.nan
