"""`segdistill app`: a network in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segdistill.cli.options import Device


def command(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUN|FILE ...]", help="Run folders, published checkpoints, exported networks."
        ),
    ] = None,
    *,
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 for the whole network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 7860,
    examples: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Images to offer as examples; else synthetic ones.")
    ] = None,
    share: Annotated[bool, typer.Option("--share", help="Ask gradio's servers for a public link.")] = False,
    device: Device = "auto",
) -> None:
    """Try networks in the browser: images, webcam, video, whole folders; two of them side by side.

    `segdistill app runs/teacher runs/student`

    Without a name, the networks of `segdistill demo`.
    """
    from segdistill.app.serving import Address, check_gradio, serve
    from segdistill.cli import models_of_app
    from segdistill.cli.output import say

    check_gradio()
    chosen = runs or models_of_app.demo()
    serve(
        models_of_app.load(chosen, device),
        Address(host, port, share),
        examples=examples,
        drawn=models_of_app.drawn_size(chosen[0]),
        say=say,
    )
