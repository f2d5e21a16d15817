"""`segdistill plot`: training curves of several runs in one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Run folders, *_history.json files, or a folder of such files."
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Name of the picture; a PNG and a PDF are written.")
    ],
) -> None:
    """Compare the histories of runs: training loss, validation Dice and IoU by epoch, and the best scores.

    `segdistill plot runs/teacher runs/baseline runs/student --out comparison.png`

    `segdistill plot checkpoints --out comparison.png` (histories of the MobileNetV2 polyp project)

    IoU is drawn apart, in `comparison-iou.png` and `.pdf`.
    """
    from segdistill.cli.output import say, table
    from segdistill.report import history, plot

    histories = history.read_all(runs)
    files = [*plot.save(histories, out)]
    if any("val_iou" in each.columns for each in histories):
        apart = files[0].with_name(f"{files[0].stem}-iou")
        files += plot.save(histories, apart, panels=["val_iou"])
    rows = history.table(histories)
    table(list(rows[0]), [list(row.values()) for row in rows])
    say(f"Wrote {', '.join(map(str, files))}")
