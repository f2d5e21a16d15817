"""`segdistill evaluate`: scores of runs on test sets."""

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
    protocol: Annotated[
        str, typer.Option(metavar="NAME[,NAME]", help="How to score, such as pranet-py,dice@0.5.")
    ] = "dice@0.5",
    json: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the scores, and a CSV per image beside them.")
    ] = None,
) -> None:
    """Score trained networks: every image at its own resolution, and the means; Dice and IoU at 0.5 by default.

    `segdistill evaluate runs/baseline runs/student --data my-data/test --json scores.json`
    """
    from segdistill.cli import scoring, tables

    protocols = scoring.find_protocols(protocol)
    scores = scoring.score_runs(runs, scoring.test_sets(data), protocols)
    tables.show_runs(scores)
    if json:
        scoring.write(scores, json)
