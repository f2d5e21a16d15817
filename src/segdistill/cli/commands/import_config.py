"""`segdistill import-config`: a configuration of another project as a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    file: Annotated[
        Path, typer.Argument(metavar="CONFIG", help="config.yaml of the MobileNetV2 polyp project.")
    ],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Recipe to write; printed if not given.")
    ] = None,
) -> None:
    """Turn a configuration of the MobileNetV2 polyp project into a recipe, with a comment on what changed.

    `segdistill import-config configs/config.yaml --out my.yaml`
    """
    from segdistill import config
    from segdistill.cli.output import say
    from segdistill.core import SegDistillError
    from segdistill.export.files import write_text

    text = config.import_polyp_mobilenet(file, recipe=out)
    if out is None:
        say(text.rstrip("\n"))
        return
    if out.exists():
        raise SegDistillError(f"{out} exists. Take another --out, or delete it.")
    write_text(out, text)
    say(f"Wrote {out}. Train with: segdistill train {out} --mode teacher --out RUN")
