"""`segdistill export`: a network as one file that runs without PyTorch."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path, typer.Argument(metavar="RUN|FILE", help="Run folder, or published checkpoint.")],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE.onnx", help="The file to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that is there.")] = False,
) -> None:
    """Write a trained network as one ONNX file, preprocessing and class names included, and compare it with PyTorch.

    `segdistill export runs/student --out student.onnx`

    `segdistill predict` and `segdistill app` take the file as they take a run.
    """
    from segdistill.cli.output import say
    from segdistill.engine import open_trained
    from segdistill.export import export_onnx

    trained = open_trained(run)
    if trained.note:
        say(trained.note)
    done = export_onnx(trained.net, trained.task, out, overwrite=overwrite)
    size = done.path.stat().st_size / 1e6
    say(
        f"Wrote {done.path}, {size:.1f} MB; on {done.images} images its probabilities differ from PyTorch's by at most "
        f"{done.difference:.0e}."
    )
    file = shlex.quote(str(done.path))
    say(f"Use it: segdistill predict {file} IMAGES --out masks, or segdistill app {file}.")
