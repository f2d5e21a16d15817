"""`segdistill plot`: training curves of several runs in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segdistill.cli.options import Runs


def command(
    runs: Runs,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Name of the picture; a PNG and a PDF are written.")
    ],
) -> None:
    """Compare the histories of runs: training loss and validation Dice by epoch, and the best scores.

    `segdistill plot runs/teacher runs/baseline runs/student --out comparison.png`
    """
    from segdistill.cli.output import say, table
    from segdistill.report import history, plot

    histories = history.read_all(runs)
    files = plot.save(histories, out)
    rows = history.table(histories)
    table(list(rows[0]), [list(row.values()) for row in rows])
    say(f"Wrote {' and '.join(map(str, files))}")
