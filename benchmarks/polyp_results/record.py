"""Everything that is finished as one record: scores by seed, paired gains, speed, and what made them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import polyp_lite
from benchmarks.current import fault
from benchmarks.polyp_results import scoring
from benchmarks.polyp_results.cells import NONE, RECIPE, Cell, Grid
from benchmarks.tables import summary
from segdistill import config
from segdistill.data.polyp import TESTS
from segdistill.engine import Run
from segdistill.engine.environment import environment
from segdistill.report.comparison import Difference, compare

#: Dice and IoU as the protocols call them.
MEASURES = {"pranet-py": ("meanDic", "meanIoU"), "dice@0.5": ("dice", "iou")}
_SCHEDULE = ("epochs", "batch_size", "scales", "lr", "lr_factors", "schedule", "ema", "monitor")


def collect(grid: Grid, speed: Path) -> dict[str, Any]:
    """Bring together what is finished and scored, and say what is not."""
    cells = grid.cells()
    faults = {cell.out.name: fault for cell in cells if (fault := why_not(cell, grid.runs))}
    found = [cell for cell in cells if cell.out.name not in faults]
    return {
        "command": "python benchmarks/polyp.py",
        "recipe": RECIPE,
        "setup": setup(grid),
        "sets": {"there": scoring.present(), "missing": [n for n in TESTS if n not in scoring.present()]},
        "students": {each.name: each.about for each in grid.students},
        "methods": {each.name: each.about for each in (NONE, *grid.methods)},
        "teacher": teacher(grid),
        "rows": [entry(group, found, grid.runs) for group in groups(found)],
        "speed": json.loads(speed.read_text(encoding="utf-8")) if speed.is_file() else None,
        "trainings": len(cells),
        "left_out": faults,
        "env": {key: value for key, value in environment().items() if key != "command"},
    }


def why_not(cell: Cell, runs: Path) -> str | None:
    """Why a training is not in the table; `None` if it is."""
    if not polyp_lite.is_finished(cell.out):
        return "begun" if cell.out.is_dir() else "not begun"
    scored = scoring.is_scored(scoring.score_file(runs, cell.out), cell.out)
    return fault(Run(cell.out), cell.configuration, cell.teacher) or (None if scored else "not scored")


def setup(grid: Grid) -> dict[str, Any]:
    """What all trainings share, from the recipe."""
    full = config.for_training(config.override(config.read(RECIPE), grid.extra))
    data, training = full["data"]["polyp"], full["training"]
    return {
        "size": data["size"][0],
        "val_fraction": data["val_fraction"],
        "loss": next(iter(full["loss"])),
        **{key: training[key] for key in _SCHEDULE},
    }


def teacher(grid: Grid) -> dict[str, Any] | None:
    """What the teacher is, and its scores; `None` where it has none."""
    if not polyp_lite.is_finished(grid.teacher):
        return None
    run, out = Run(grid.teacher), scoring.score_file(grid.runs, grid.teacher)
    scored, wrong = scoring.is_scored(out, grid.teacher), fault(run, grid.teacher_configuration)
    return {
        **polyp_lite.network(run),
        "selection": run.metrics.get("selection"),
        "command": written(grid.teacher_arguments) if wrong is None else None,
        "fault": wrong,
        "scores": scores(grid.runs, [grid.teacher]) if scored else {},
    }


def groups(cells: Iterable[Cell]) -> list[list[Cell]]:
    """The trainings of one student by one method, that differ in the seed, student by student."""
    found: dict[str, dict[str, list[Cell]]] = {}
    for cell in cells:
        found.setdefault(cell.student.name, {}).setdefault(cell.method.name, []).append(cell)
    return [group for by_method in found.values() for group in by_method.values()]


def entry(group: Sequence[Cell], everything: Sequence[Cell], runs: Path) -> dict[str, Any]:
    """One row of the table."""
    first = group[0]
    alone = {c.seed: c for c in everything if (c.student, c.method) == (first.student, NONE)}
    pairs = [] if first.method is NONE else [(alone[c.seed], c) for c in group if c.seed in alone]
    return {
        "student": first.student.name,
        "method": first.method.name,
        "command": written(first.arguments),
        "seeds": [cell.seed for cell in group],
        "scores": scores(runs, [cell.out for cell in group]),
        "gains": gains(runs, pairs) if pairs else {},
        "gain_seeds": [cell.seed for _, cell in pairs],
        "minutes": summary([Run(cell.out).metrics["seconds"] / 60 for cell in group]),
    }


def scores(runs: Path, folders: Sequence[Path]) -> dict[str, Any]:
    """Mean and deviation over seeds, by protocol, set and measure; every other measure as means."""
    return {
        protocol: _scores([scoring.sets(scoring.score_file(runs, run, protocol)) for run in folders])
        for protocol in scoring.PROTOCOLS
    }


def _scores(tables: Sequence[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    numbers = [
        key
        for key, value in next(iter(tables[0].values())).items()
        if isinstance(value, float) and key != "fps"
    ]
    return {
        name: {
            "images": tables[0][name]["images"],
            **{key: summary([table[name][key] for table in tables]) for key in numbers},
        }
        for name in scoring.present()
    }


def gains(runs: Path, pairs: Sequence[tuple[Cell, Cell]]) -> dict[str, Any]:
    """Paired differences per image to the student alone, of the seeds that both have."""
    found = {}
    for protocol, measures in MEASURES.items():
        a, b = (
            [scoring.score_file(runs, cell.out, protocol) for cell in side]
            for side in zip(*pairs, strict=True)
        )
        compared = compare(a, b, measures=measures)
        found[protocol] = {
            name: {each.measure: difference(each) for each in compared.differences if each.dataset == name}
            for name in scoring.present()
        }
    return found


def difference(found: Difference) -> dict[str, Any]:
    """What is kept of a difference."""
    return {
        "difference": found.difference,
        "interval": list(found.interval),
        "interval_images": list(found.interval_images),
        "p": found.p,
        "better": found.wins_b,
        "worse": found.wins_a,
        "images": found.count,
        "by_seed": list(found.by_seed),
    }


def written(arguments: Sequence[str]) -> str:
    """A command as one types it, without the folders of one machine."""
    return shlex.join(["segdistill", *(portable(word) for word in arguments)])


def portable(word: str) -> str:
    """An absolute path by its name alone."""
    key, equals, value = word.partition("=") if "=/" in word else ("", "", word)
    return f"{key}{equals}{Path(value).name}" if value.startswith("/") else word
