"""`segdistill predict`: masks for new images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Images, and folders of images.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the masks.")],
    overlay: Annotated[bool, typer.Option("--overlay", help="Draw the mask on the image too.")] = False,
    probability: Annotated[bool, typer.Option("--probability", help="Write probabilities too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
) -> None:
    """Segment images with a trained network; every mask has the size of its image.

    `segdistill predict runs/student my-images --out masks --overlay`
    """
    from segdistill.cli.output import say, track
    from segdistill.engine import Run
    from segdistill.export import TorchPredictor, predict

    trained = Run.load(run)
    done = predict(
        TorchPredictor(trained.student, trained.task),
        inputs,
        out,
        overlays=overlay,
        probabilities=probability,
        overwrite=overwrite,
        progress=track,
    )
    say(
        f"Wrote masks of {done.count} images to {done.out}; {1000 * done.seconds_per_image:.0f} ms per image."
    )
