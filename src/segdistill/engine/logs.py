"""What a training says while it runs: one row per epoch, curves, and a bar with the losses by name."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from segdistill.export import files


class Log:
    """`log.csv`, one row per epoch; where a term comes later than others, it was 0 before.

    Args:
        path: Where it lies.
        until: On resume, the epochs whose rows are kept; later ones will be written again.
    """

    def __init__(self, path: Path, *, until: int = 0) -> None:
        self.path = path
        self.rows = [row for row in read(path) if int(row["epoch"]) <= until] if path.exists() else []

    def add(self, row: Mapping[str, float]) -> None:
        """Append a row."""
        self.rows.append({name: f"{value:.10g}" for name, value in row.items()})
        text = io.StringIO()
        columns = dict.fromkeys(name for each in self.rows for name in each)
        writer = csv.DictWriter(text, fieldnames=columns, restval="0", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        files.write_text(self.path, text.getvalue())


def read(path: Path) -> list[dict[str, str]]:
    """Read the rows of a log."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Curves:
    """TensorBoard event files.

    Args:
        folder: Where they lie.
        after: On resume, the epochs that stay; points after them are hidden, since they come again.
    """

    def __init__(self, folder: Path, *, after: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder), purge_step=after + 1 if after else None)

    def add(self, row: Mapping[str, float]) -> None:
        """Add a point to every curve."""
        for name, value in row.items():
            if name not in ("epoch", "step"):
                self.writer.add_scalar(name, value, int(row["epoch"]))
        self.writer.flush()

    def close(self) -> None:
        """Finish the files."""
        self.writer.close()


class Display(Protocol):
    """Shows the progress of a training to a person."""

    def begin(self, step0: Mapping[str, Mapping[str, float]]) -> None:
        """Training begins; value, share and gradient of every term before the first step."""
        ...

    def step(self, epoch: int, done: int, total: int, terms: Mapping[str, float]) -> None:
        """One batch is done; the terms are means over the epoch so far."""
        ...

    def row(self, row: Mapping[str, float], *, epochs: int) -> None:
        """An epoch is done."""
        ...

    def close(self) -> None:
        """Training is over."""
        ...


class Silence:
    """Shows nothing."""

    def begin(self, step0: Mapping[str, Mapping[str, float]]) -> None:
        """Ignore it."""

    def step(self, epoch: int, done: int, total: int, terms: Mapping[str, float]) -> None:
        """Ignore it."""

    def row(self, row: Mapping[str, float], *, epochs: int) -> None:
        """Ignore it."""

    def close(self) -> None:
        """Do nothing."""


class Lines:
    """One line per epoch, for logs and pipes."""

    def __init__(self) -> None:
        self.start = time.monotonic()
        self.first: float | None = None

    def begin(self, step0: Mapping[str, Mapping[str, float]]) -> None:
        """Print what every term is worth before the first step."""
        terms = (f"{name} {term['value']:.4f} ({term['share']:.0%})" for name, term in step0.items())
        print(f"before step 1  {'  '.join(terms)}", flush=True)

    def step(self, epoch: int, done: int, total: int, terms: Mapping[str, float]) -> None:
        """Lines are for whole epochs."""

    def row(self, row: Mapping[str, float], *, epochs: int) -> None:
        """Print the epoch's losses, scores and the time left."""
        epoch = int(row["epoch"])
        self.first = epoch if self.first is None else self.first
        pace = (time.monotonic() - self.start) / (epoch - self.first + 1)
        shown = {k: v for k, v in row.items() if k not in ("epoch", "step", "lr", "seconds")}
        print(f"epoch {epoch}/{epochs}  {_terms(shown)}  {_clock(pace * (epochs - epoch))} left", flush=True)

    def close(self) -> None:
        """Do nothing."""


class Bar(Lines):
    """A bar with the losses by name and the time left, and one line per epoch above it."""

    def __init__(self) -> None:
        super().__init__()
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns: list[Any] = [TextColumn("epoch {task.fields[epoch]}"), BarColumn(), MofNCompleteColumn()]
        self.bar = Progress(*columns, TimeRemainingColumn(), TextColumn("{task.description}"), transient=True)
        self.task = self.bar.add_task("", epoch=1)
        self.bar.start()

    def step(self, epoch: int, done: int, total: int, terms: Mapping[str, float]) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=done, total=total, description=_terms(terms), epoch=epoch + 1)

    def row(self, row: Mapping[str, float], *, epochs: int) -> None:
        """Print the line above the bar, and begin the bar anew."""
        super().row(row, epochs=epochs)
        self.bar.reset(self.task)

    def close(self) -> None:
        """Remove the bar."""
        self.bar.stop()


def display() -> Display:
    """A bar on a terminal, lines elsewhere."""
    return Bar() if sys.stderr.isatty() and sys.stdout.isatty() else Lines()


def _terms(values: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in values.items())


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
