"""`segdistill evaluate`: Dice and IoU of runs on test sets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segdistill.cli.options import Runs


def command(
    runs: Runs,
    *,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="A test set (images/ and masks/), or a folder of test sets.")
    ],
    json: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the scores, and a CSV per image beside them.")
    ] = None,
) -> None:
    """Score trained networks: Dice and IoU of every image at 0.5, at its own resolution, and their means.

    `segdistill evaluate runs/baseline runs/student --data my-data/test --json scores.json`
    """
    from segdistill.cli import scoring
    from segdistill.cli.output import score, table

    scores = scoring.score_runs(runs, scoring.test_sets(data))
    rows = [
        (each.run, each.name, each.means["images"], score(each.means["dice"]), score(each.means["iou"]))
        for each in scores
    ]
    table(("run", "test set", "images", "Dice", "IoU"), rows)
    if json:
        scoring.write(scores, json)
