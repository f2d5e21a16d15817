"""`segdistill score`: scores of prediction files, whoever made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from segdistill.tasks import Task


def command(
    *,
    pred: Annotated[
        Path, typer.Option(metavar="DIR", help="Predictions: DIR/NAME.png or DIR/SET/NAME.png; or volumes.")
    ],
    gt: Annotated[Path, typer.Option(metavar="DIR", help="True masks, laid out alike; masks/ is found.")],
    protocol: Annotated[
        str, typer.Option(metavar="NAME[,NAME]", help="How to score, such as pranet-py or dice@0.5.")
    ],
    json: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the scores, and a CSV per set beside them.")
    ] = None,
    classes: Annotated[
        str,
        typer.Option(metavar="N|NAME,NAME...", help="Classes of index masks, from 0 up."),
    ] = "",
    resize: Annotated[
        bool, typer.Option("--resize", help="Bring predictions of another size to their masks'.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out files that cannot be read, and list them.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; as many as pay if not given.")
    ] = None,
) -> None:
    """Score prediction files against mask files of the same names; the way of scoring has a name.

    `segdistill score --pred maps --gt TestDataset --protocol pranet-py --json scores.json`
    """
    from segdistill.cli import scoring, tables
    from segdistill.cli.output import counter
    from segdistill.scoring import score
    from segdistill.scoring.results import write_scores

    protocols = scoring.find_protocols(protocol)
    with counter("scoring") as progress:
        scores = score(
            pred,
            gt,
            protocols,
            task=_task(classes),
            resize=resize,
            skip_bad=skip_bad,
            workers=workers,
            progress=progress,
        )
    tables.show(scores)
    if json:
        write_scores(scores, json)


def _task(classes: str) -> Task | None:
    """Classes by number or by name; two are background and foreground, a last one called `ignore` counts nowhere."""
    from segdistill.core import SegDistillError
    from segdistill.tasks import Binary, Multiclass

    if not classes:
        return None
    names = tuple(name.strip() for name in classes.split(","))
    if len(names) == 1:
        if not names[0].isdecimal() or not 2 <= int(names[0]) <= 65536:
            raise SegDistillError(
                f"--classes {classes} is no number of classes; give 2 or more, or their names with commas."
            )
        names = tuple(str(index) for index in range(int(names[0])))
    if names[-1] == "ignore":
        return Multiclass(names[:-1], ignore_index=len(names) - 1)
    return Binary(names) if len(names) == 2 else Multiclass(names)
