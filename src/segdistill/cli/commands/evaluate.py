"""`segdistill evaluate`: scores of runs on test sets."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from segdistill.cli.options import Device, Json, Networks, Protocols


def command(
    runs: Networks,
    *,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="A test set (images/ and masks/), or a folder of test sets.")
    ],
    protocol: Protocols = "dice@0.5",
    json: Json = None,
    device: Device = "auto",
    save: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the foreground maps, too, a folder per test set."),
    ] = None,
    layout: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose folders and greys: pranet, uacanet or kdas.")
    ] = None,
    stretch: Annotated[
        bool, typer.Option("--stretch", help="Stretch every map to 0..255, as these projects do.")
    ] = False,
    save_visuals: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Draw image, truth, prediction and errors of the first 10 images per set."
        ),
    ] = None,
) -> None:
    """Score trained networks: every image at its own resolution, and the means; Dice and IoU at 0.5 by default.

    `segdistill evaluate runs/baseline runs/student --data my-data/test --json scores.json`

    `segdistill evaluate runs/student --data TestDataset --protocol pranet-py --save maps --layout kdas`

    `segdistill evaluate student.pth --data TestDataset --protocol dice@320 --save-visuals visuals`
    """
    from segdistill.cli import scoring, tables
    from segdistill.cli.beside import left_out, not_averaged
    from segdistill.cli.maps import MapPlace
    from segdistill.cli.output import say
    from segdistill.export.files import make_folder

    protocols = scoring.find_protocols(protocol)
    scoring.check_place(json, protocols)
    place = MapPlace.asked_for(save, layout, stretch=stretch)
    sets = scoring.test_sets(data)
    scores = scoring.score_runs(
        runs,
        sets,
        protocols,
        device=device,
        files=place.of_run if place else None,
        visuals=save_visuals and make_folder(save_visuals),
    )
    for each in chain(*scores.values()):
        each.note(*filter(None, [left_out(data, sets), not_averaged(each)]))
    tables.show_runs(scores)
    if save_visuals:
        say(f"Wrote panels of the first images to {save_visuals}.")
    if place:
        place.tell(scores, truth=data)
    if json:
        scoring.write(scores, json)
