"""What happened in each epoch of a run, read from its `log.csv`."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.report import json_history

FIXED = ("epoch", "step", "lr", "seconds", "loss", "task", "val_dice", "val_iou")


@dataclass(frozen=True)
class Best:
    """The best value of a column and where it was; NaN and epoch 0 where there is none."""

    value: float = math.nan
    epoch: int = 0


@dataclass(frozen=True)
class History:
    """The log of one run, by column.

    Attributes:
        label: The name of the run in tables and plots.
        columns: Values per epoch; NaN where the log holds none.
    """

    label: str
    columns: Mapping[str, tuple[float, ...]]

    @property
    def epochs(self) -> tuple[int, ...]:
        """The numbers of the epochs, in order."""
        return tuple(int(epoch) for epoch in self.columns["epoch"])

    @property
    def final_loss(self) -> float:
        """Training loss of the last epoch."""
        return self.columns["loss"][-1]

    @property
    def distilled(self) -> bool:
        """Whether terms other than the task's loss were trained."""
        return any(name not in FIXED for name in self.columns)

    def best(self, column: str) -> Best:
        """Find the largest value of a column; the earliest epoch wins a tie."""
        values = self.columns.get(column, ())
        scored = [Best(v, e) for v, e in zip(values, self.epochs, strict=False) if not math.isnan(v)]
        return max(scored, key=lambda best: best.value, default=Best())


def read(run: str | Path, label: str | None = None) -> History:
    """Read the history of a run.

    A row that was cut off when the run was killed is left out; of an epoch that was run again, the last
    row counts.

    Args:
        run: The folder of the run, or its `log.csv`; or a `*_history.json` of the MobileNetV2 polyp project.
        label: Its name in tables and plots; that of the folder by default.

    Raises:
        SegDistillError: If there is no log, it holds no epoch, or something that is needed is missing.
    """
    path = Path(run)
    if path.suffix == ".json":
        return History(label or json_history.label_of(path.name), json_history.columns(path))
    log = path if path.is_file() else path / "log.csv"
    rows = _rows(log)
    header, lines = rows[0], rows[1:]
    lacking = [name for name in ("epoch", "loss", "val_dice") if name not in header]
    if lacking:
        raise SegDistillError(f"{log} has no column {lacking[0]!r}: its columns are {', '.join(header)}.")
    complete = [row for row in lines if len(row) == len(header)]
    by_epoch = {row[header.index("epoch")]: row for row in complete}
    if not by_epoch:
        raise SegDistillError(f"{log} holds no epoch yet: the run stopped, or is still in, its first.")
    values = [[_number(cell, log) for cell in row] for row in by_epoch.values()]
    columns = {name: tuple(column) for name, column in zip(header, zip(*values, strict=True), strict=True)}
    return History(label or log.resolve().parent.name, columns)


def read_all(runs: Mapping[str, str | Path] | Sequence[str | Path]) -> list[History]:
    """Read several runs, from paths by label or from paths alone; equal folder names get their parent's too.

    A folder of checkpoints stands for every `*_history.json` in it.

    Raises:
        SegDistillError: As `read`; or if there is no run.
    """
    labels = dict(runs) if isinstance(runs, Mapping) else _by_label(runs)
    if not labels:
        raise SegDistillError("There is no run to compare: name at least one run folder.")
    return [read(path, label) for label, path in labels.items()]


def _by_label(runs: Sequence[str | Path]) -> dict[str, str | Path]:
    single: list[str | Path] = []
    for run in runs:
        single += _histories(Path(run)) or [run]
    found = labelled(single)
    short = {label: json_history.label_of(label) for label in found}
    alike = Counter(short.values())  # a run may be called as a history is without its ending
    return {short[label] if alike[short[label]] == 1 else label: path for label, path in found.items()}


def _histories(folder: Path) -> list[Path]:
    return [] if (folder / "log.csv").exists() else json_history.find(folder)


def labelled(runs: Sequence[str | Path]) -> dict[str, str | Path]:
    """Label paths by as many of their last parts as make them differ.

    Examples:
        >>> list(labelled(["a/teacher", "a/kd", "b/kd"]))
        ['teacher', 'a/kd', 'b/kd']
    """
    unique = {Path(run).resolve(): run for run in runs}
    return {_short(path, unique): run for path, run in unique.items()}


def table(histories: Sequence[History]) -> list[dict[str, str]]:
    """Sum up runs: final loss, best Dice and IoU in per cent with their epochs.

    Returns:
        One row per run, column title to text; a hyphen where the log holds no value.
    """
    return [
        {
            "Run": history.label,
            "Epochs": str(len(history.epochs)),
            "Final loss": _text(history.final_loss, 4),
            "Best Dice % (epoch)": _percent(history.best("val_dice")),
            "Best IoU % (epoch)": _percent(history.best("val_iou")),
        }
        for history in histories
    ]


def text(histories: Sequence[History]) -> str:
    """Set the summary table in plain text, columns aligned.

    Raises:
        SegDistillError: If there is no run.
    """
    rows = table(histories)
    if not rows:
        raise SegDistillError("There is no run to sum up: name at least one run folder.")
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(cells, widths) for cells in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join([cells[0].ljust(widths[0]), *numbers])


def _rows(log: Path) -> list[list[str]]:
    try:
        with log.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
    except (FileNotFoundError, NotADirectoryError):
        folder = log.parent
        hint = "is it a run folder?" if folder.is_dir() else "the folder does not exist."
        raise SegDistillError(f"{folder} has no {log.name}: {hint}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SegDistillError(f"Cannot read {log}: {error}.") from None
    if not rows:
        raise SegDistillError(f"{log} is empty: the run stopped before its first epoch ended.")
    return rows


def _number(cell: str, log: Path) -> float:
    if not cell.strip():
        return math.nan
    try:
        return float(cell)
    except ValueError:
        raise SegDistillError(f"{log} holds {cell!r} where a number should be.") from None


def _short(path: Path, paths: Mapping[Path, object]) -> str:
    count = 1
    while sum(other.parts[-count:] == path.parts[-count:] for other in paths) > 1:
        count += 1
    return "/".join(path.parts[-count:])


def _text(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _percent(best: Best) -> str:
    return "-" if math.isnan(best.value) else f"{100 * best.value:.2f} ({best.epoch})"
