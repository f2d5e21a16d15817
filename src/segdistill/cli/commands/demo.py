"""`segdistill demo`: the whole way in a few minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the three runs.")] = Path(
        "runs/demo"
    ),
) -> None:
    """Go the whole way on synthetic images: teacher, baseline, student, report.

    `segdistill demo`

    Takes a few minutes on two cores, without data or network. Started again, it goes on where it stopped.
    """
    from segdistill import config
    from segdistill.cli import pages
    from segdistill.cli.output import say

    recipe = config.read("demo")
    teacher, baseline, distilled = (out / name for name in ("teacher", "baseline", "distilled"))
    say("1 of 3: a large network, the teacher")
    config.train_recipe(recipe, out=teacher, role="teacher", resume=True)
    say("2 of 3: a small network alone, the baseline")
    config.train_recipe(recipe, out=baseline, resume=True)
    say("3 of 3: the same small network, distilled")
    config.distill_recipe(recipe, out=distilled, teacher=teacher, resume=True)
    paths = {path.name: path for path in (teacher, baseline, distilled)}
    compare(paths)
    page = pages.write(paths, out / "report.html")
    say(f"Open {page}: curves, scores and overlays of the three runs.")


def compare(paths: dict[str, Path]) -> None:
    """Print the test scores of the runs side by side."""
    from segdistill.cli.output import score, table
    from segdistill.engine import Run

    rows = [
        (label, name, score(scores["dice"]), score(scores["iou"]))
        for label, path in paths.items()
        for name, scores in Run.load(path).metrics.get("tests", {}).items()
    ]
    table(("run", "test set", "Dice", "IoU"), rows)
