"""What commands print: coloured on a terminal, plain elsewhere, once however many processes run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import TaskID


def is_first_process() -> bool:
    """Whether this is the one process of a multi-process run that speaks."""
    return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) == "0"


def console(*, stderr: bool = False) -> Console:
    """A console for the present streams; it honours `NO_COLOR`."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """Print one line."""
    if is_first_process():
        console().print(text, markup=False)


def complain(text: str, *, label: str = "error: ") -> None:
    """Print one line to stderr."""
    if is_first_process():
        print(f"{label}{text}", file=sys.stderr)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print a table: with rules on a terminal, as aligned plain text in a log."""
    if not is_first_process():
        return
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    target = console()
    if not target.is_terminal:
        print(_aligned([*([[title]] if title else []), list(columns), *texts]))
        return
    from rich.table import Table
    from rich.text import Text

    drawn = Table(title=title or None, title_justify="left")
    for index, column in enumerate(columns):
        numeric = bool(texts) and all(_is_number(row[index]) for row in texts)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in texts:
        drawn.add_row(*map(Text, row))  # Text: a bracket in a name is not markup
    target.print(drawn, soft_wrap=False)


def _aligned(rows: list[list[str]]) -> str:
    body = [row for row in rows if len(row) > 1]
    widths = [max(map(len, column)) for column in zip(*body, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        if len(row) > 1
        else row[0]
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _is_number(text: str) -> bool:
    return not text or text.replace(".", "", 1).lstrip("-+").isdigit()


def score(value: float | None) -> str:
    """A score with four digits; an en dash where there is none."""
    return "-" if value is None else f"{value:.4f}"


def duration(seconds: float) -> str:
    """Seconds as a person says them.

    Examples:
        >>> duration(42), duration(90), duration(7322)
        ('42 s', '1 min 30 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextlib.contextmanager
def counter(label: str) -> Iterator[Callable[[int, int], None]]:
    """Count long work whose length shows later: a bar on a terminal, a line for each tenth in a log."""
    if not is_first_process():
        yield lambda done, total: None
        return
    if not console(stderr=True).is_terminal:
        yield _lines(label)
        return
    from rich.progress import Progress

    with Progress(console=console(stderr=True), transient=True) as bar:
        tasks: list[TaskID] = []

        def count(done: int, total: int) -> None:
            if not tasks:
                tasks.append(bar.add_task(label))
            bar.update(tasks[0], completed=done, total=total)
            if done == total:
                bar.stop()  # what follows has a display of its own

        yield count


def _lines(label: str) -> Callable[[int, int], None]:
    tenths = [0]

    def count(done: int, total: int) -> None:
        if 10 * done // total > tenths[0]:
            tenths[0] = 10 * done // total
            say(f"{label}: {done} of {total}")

    return count
