"""`segdistill report`: one page about several runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segdistill.cli.options import Runs


def command(
    runs: Runs,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The HTML file to write.")] = Path(
        "report.html"
    ),
) -> None:
    """Put runs side by side on one page: scores, curves, settings; a single file that opens anywhere.

    `segdistill report runs/teacher runs/baseline runs/student --out report.html`
    """
    from segdistill.cli import pages
    from segdistill.cli.output import say
    from segdistill.report.history import labelled

    say(f"Wrote {pages.write(labelled(runs), out)}")
