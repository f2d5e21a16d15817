"""`segdistill predict`: masks for new images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from segdistill.cli.options import Device

if TYPE_CHECKING:
    from segdistill.export.video import Clip


def command(
    run: Annotated[
        Path, typer.Argument(metavar="RUN|FILE", help="Run folder, published checkpoint or .onnx.")
    ],
    inputs: Annotated[
        list[Path], typer.Argument(metavar="INPUT...", help="Images, videos, and folders of them.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the masks.")],
    overlay: Annotated[bool, typer.Option("--overlay", help="Draw the mask on the image too.")] = False,
    probability: Annotated[bool, typer.Option("--probability", help="Write probabilities too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    device: Device = "auto",
) -> None:
    """Segment images and videos with a trained network; every mask has the size of its image or frame.

    `segdistill predict runs/student my-images clip.mp4 --out masks --overlay`
    """
    from segdistill.cli.opened import open_predictor
    from segdistill.cli.output import counter, say
    from segdistill.export import predict
    from segdistill.report import video

    opened = open_predictor(run, device=device)
    with counter("predicting") as progress:
        done = predict(
            opened.predictor,
            inputs,
            out,
            overlays=overlay,
            probabilities=probability,
            overwrite=overwrite,
            chart=video.chart,
            place=opened.place,
            progress=progress,
        )
    if opened.note:
        say(opened.note)
    if done.count:
        pace = 1000 * done.seconds_per_image
        say(f"Wrote masks of {done.count} images to {done.out}; {pace:.0f} ms per image on {opened.place}.")
    _sum_up(done.clips, opened.place)


def _sum_up(clips: Sequence[Clip], place: str) -> None:
    from segdistill.cli.output import say, score, table
    from segdistill.report import video

    for clip in clips:
        say(
            f"Wrote masks of {clip.record['frames']} frames to {clip.masks}, speed on {place} and stability beside it."
        )
    rows = [
        (
            row.clip,
            row.class_name,
            f"{row.network_fps:.1f}",
            f"{row.end_to_end_fps:.1f}",
            *(score(None if math.isnan(v) else v) for v in (row.iou, row.compensated, row.flicker)),
        )
        for clip in clips
        for row in video.of_record(clip.masks.name, clip.record)
    ]
    if rows:
        table(
            ("Video", "Class", "Network fps", "Total fps", "IoU of neighbours", "compensated", "Flicker"),
            rows,
        )
