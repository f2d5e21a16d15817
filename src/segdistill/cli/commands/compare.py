"""`segdistill compare`: two networks, image by image, and how sure their difference is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="[RUN_A RUN_B ...]", help="Run folders, or JSON of score or evaluate."),
    ] = None,
    *,
    a: Annotated[
        list[str] | None,
        typer.Option("--a", metavar="RUN", help="A run of the first network; once for every seed."),
    ] = None,
    b: Annotated[
        list[str] | None, typer.Option("--b", metavar="RUN", help="A run of the second, which is judged.")
    ] = None,
    measure: Annotated[
        str, typer.Option(metavar="NAME[,NAME]", help="What to compare, such as dice; everything by default.")
    ] = "",
    json: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write everything, numbers in full, and per image.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Draw the worst cases: image, truth, A and B, as PNG.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the sheet's images are, if the scores do not say."),
    ] = None,
) -> None:
    """Compare two networks, B against A: difference per image, interval, test, and who wins where.

    `segdistill compare runs/baseline runs/distilled`

    With several seeds, runs whose settings differ in the seed alone belong together:

    `segdistill compare runs/baseline-* runs/distilled-* --sheet worst.png`
    """
    from segdistill.cli import comparing

    comparing.check_places(json, sheet)
    found = comparing.compare(runs or [], a or [], b or [], measure)
    comparing.show(found)
    if json:
        comparing.write(found, json)
    if sheet:
        comparing.draw(found, sheet, data)
