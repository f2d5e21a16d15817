"""`segdistill score`: scores of prediction files, whoever made them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segdistill.cli.options import Json, Protocols

if TYPE_CHECKING:
    from segdistill.tasks import Task


def command(
    *,
    pred: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Predictions: DIR/NAME.png or DIR/SET/NAME.png; or volumes."),
    ] = None,
    gt: Annotated[
        Path | None, typer.Option(metavar="DIR", help="True masks, laid out alike; masks/ is found.")
    ] = None,
    protocol: Protocols = "",
    config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="An eval.yaml of UACANet or KDAS3, instead of folders and names."),
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show every set as it is done.")] = False,
    json: Json = None,
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

    `segdistill score --config configs/eval.yaml --verbose`
    """
    from segdistill.cli import scoring, tables
    from segdistill.cli.sets import Wanted, score_sets
    from segdistill.scoring.results import write_scores

    wanted = Wanted.of(config, pred, gt, protocol, json)
    protocols = scoring.find_protocols(wanted.protocol)
    scoring.check_place(wanted.json, protocols)
    options = {"task": _task(classes), "resize": resize, "skip_bad": skip_bad, "workers": workers}
    scores = score_sets(wanted, protocols, verbose=verbose, **options)
    tables.show([wanted.shown(each) for each in scores])
    if wanted.json:
        write_scores(scores, wanted.json)


def _task(classes: str) -> Task | None:
    """Classes of index masks by number or by name; label 255 counts nowhere, or a last class called `ignore`."""
    from segdistill.core import SegDistillError
    from segdistill.tasks import Multiclass

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
    # Where 255 is a class like any other, no label is ignored.
    return Multiclass(names, ignore_index=255 if len(names) < 256 else -1)
