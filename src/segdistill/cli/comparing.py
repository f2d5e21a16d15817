"""Two networks on the command line: which runs are meant, what is printed, drawn and written."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.cli.output import say, score, table
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.report.comparison import Comparison, Difference
    from segdistill.report.comparison.sources import Source


def compare(runs: Sequence[str], a: Sequence[str], b: Sequence[str], measures: str) -> Comparison:
    """Compare what the arguments name.

    Args:
        runs: Two runs, two patterns in quotes, or the runs of two networks in any number.
        a: Instead, the runs of the first network,
        b: and of the second.
        measures: `NAME[,NAME]`; everything if empty.

    Raises:
        SegDistillError: If it is not clear which runs are meant, or they do not compare.
    """
    from segdistill.report.comparison import compare

    wanted = [name.strip() for name in measures.split(",") if name.strip()]
    return compare(*_sides(runs, a, b), measures=wanted or None)


def check_places(*paths: Path | None) -> None:
    """Refuse places for files before the work.

    Raises:
        SegDistillError: If one is a folder, or not writable.
    """
    from segdistill.export.files import check_place

    for path in filter(None, paths):
        check_place(path)


def show(found: Comparison) -> None:
    """Print who is compared, a row per test set and measure, and what the numbers do not know."""
    for letter, side in (("A", found.sides.a), ("B", found.sides.b)):
        say(f"{letter}: {side.label} ({', '.join(run.name for run in side.runs)})")
    several = len(found.sides.a.runs) > 1
    for protocol in dict.fromkeys((each.protocol, each.version) for each in found.differences):
        rows = [
            _row(each, several) for each in found.differences if (each.protocol, each.version) == protocol
        ]
        say()
        table(_columns(several), rows)
        say(f"Scored by {protocol[0]}, version {protocol[1]}.")
    say()
    for note in found.notes:
        say(f"- {note}")


def write(found: Comparison, path: Path) -> None:
    """Write everything as JSON."""
    from segdistill.export.files import write_json

    write_json(path, found.as_dict())
    say(f"Wrote {path}")


def draw(found: Comparison, path: Path, data: Path | None) -> None:
    """Draw the worst cases as one PNG.

    Args:
        found: The comparison.
        path: Where to.
        data: A test set or a folder of test sets; what was scored, or B's recipe, says where they are if not given.

    Raises:
        SegDistillError: If data, networks or files are not at hand.
    """
    from segdistill.export.files import write_png
    from segdistill.report.comparison.sheet import sheet

    write_png(path, sheet(found, _test_sets(found, data), images=data))
    say(
        f"Wrote {path}: the worst cases, outlines of truth (green), A (yellow) and B (blue), or of several classes in "
        "the colours of these"
    )


def _sides(
    runs: Sequence[str], a: Sequence[str], b: Sequence[str]
) -> tuple[Sequence[str | Path], Sequence[str | Path]]:
    from segdistill.report.comparison import split

    if not (a or b):
        groups = [_expanded(run) for run in runs]
        return (
            (groups[0], groups[1]) if len(groups) == 2 else split([run for group in groups for run in group])
        )
    if runs or not (a and b):
        raise SegDistillError("Name the runs as RUN_A RUN_B, or all of them with --a RUN and --b RUN.")
    return [run for each in a for run in _expanded(each)], [run for each in b for run in _expanded(each)]


def _expanded(text: str) -> list[str]:
    """What a pattern in quotes stands for, in the order of the numbers in the names."""
    if Path(text).exists() or not glob.has_magic(text):
        return [text]
    found = [path for path in glob.glob(text) if Path(path).is_dir() or path.lower().endswith(".json")]
    if not found:
        raise SegDistillError(f"No run folder or JSON file is called like {text!r}.")
    return sorted(found, key=_natural)


def _natural(text: str) -> list[Any]:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", text)]


def _test_sets(found: Comparison, data: Path | None) -> dict[str, Any]:
    """What networks predict again; nothing where files were scored."""
    from segdistill.cli import pages, scoring
    from segdistill.report.comparison.views import place_of

    runs = (*found.sides.b.runs, *found.sides.a.runs)
    run = next(filter(_of_network, runs), None)
    if run is None:
        return {}
    scored = _of_network(run)
    first = next(iter(scored))
    place = place_of(run, first)
    if data is None and "data" not in scored[first]:
        return pages.test_sets(place)
    from segdistill.data import FolderSet
    from segdistill.engine import open_trained

    folders = scoring.test_sets(data) if data else {name: files["data"] for name, files in scored.items()}
    classes = open_trained(place).task.classes
    return {name: FolderSet(path, classes=classes) for name, path in folders.items()}


def _of_network(run: Source) -> dict[str, Mapping[str, Any]]:
    """What a run's network was scored on, by test set."""
    return {name: table.files for name, table in run.tables.items() if "run" in table.files}


def _columns(several: bool) -> tuple[str, ...]:
    last = ("p seeds",) if several else ()
    return (
        "test set",
        "measure",
        "n",
        "A",
        "B",
        "B - A",
        "95 % interval",
        "p",
        *last,
        "A wins",
        "B wins",
        "excludes 0",
    )


def _row(found: Difference, several: bool) -> tuple[object, ...]:
    last = (_p(found.p_seeds),) if several else ()
    low, high = found.interval
    return (
        *(
            found.dataset,
            found.measure,
            found.count,
            score(found.a),
            score(found.b),
            f"{found.difference:+.4f}",
        ),
        *(
            f"{low:+.4f} to {high:+.4f}",
            _p(found.p),
            *last,
            found.wins_a,
            found.wins_b,
            f"yes, {found.ahead} ahead" if found.ahead else "no",
        ),
    )


def _p(value: float | None) -> str:
    return "-" if value is None else "< 0.0001" if value < 0.0001 else f"{value:.4f}"
