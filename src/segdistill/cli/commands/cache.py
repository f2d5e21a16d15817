"""`segdistill cache`: ask a teacher once, so that distillation costs no more than training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from segdistill.cli.options import Overrides


def command(
    teacher: Annotated[
        Path, typer.Argument(metavar="TEACHER", help="Run folder or published checkpoint of the teacher.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder to write.")],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|RECIPE", help="What will be trained on; what the teacher was, if not given."
        ),
    ] = None,
    taps: Annotated[
        str, typer.Option(metavar="NAME[,NAME]", help="Features to store beside the logits, such as e4,e5.")
    ] = "",
    views: Annotated[
        int, typer.Option(min=0, help="Augmented views per image; 0 stores the image and moves its maps.")
    ] = 0,
    stride: Annotated[int, typer.Option(min=1, help="Store logits on a grid so much coarser.")] = 1,
    override: Overrides = None,
) -> None:
    """Store a teacher's output on every training image, in half precision.

    `segdistill cache runs/teacher --out runs/teacher-maps`

    `segdistill cache runs/teacher --data my-data --taps e4,e5 --views 4 --out runs/teacher-maps`

    A stopped one goes on with the same command. From Python, `Cached("runs/teacher-maps")` is the teacher.
    """
    from segdistill import config
    from segdistill.cli.output import counter, say
    from segdistill.engine import Run, open_trained
    from segdistill.teachers import cache
    from segdistill.teachers.store import gigabytes

    trained = open_trained(teacher)
    if trained.note:
        say(trained.note)
    known = Run.load(teacher).config if teacher.is_dir() else {}
    chosen = config.override(_settings(known, data), override or [])
    full = config.complete({key: chosen[key] for key in ("task", "data", "training") if key in chosen})
    with counter("asking the teacher") as progress:
        stored = cache(
            trained.net,
            config.build_data(full["data"]),
            out,
            taps=[name for name in taps.split(",") if name],
            views=views,
            stride=stride,
            task=trained.task,
            batch_size=full["training"]["batch_size"],
            workers=full["training"]["workers"] or 0,
            progress=progress,
        )
    header = stored.header
    say(
        f"{out} holds {', '.join(header.shapes)} of {len(header.data)} images, {gigabytes(header.total_bytes)}."
    )


def _settings(known: dict[str, Any], data: str | None) -> dict[str, Any]:
    from segdistill import config
    from segdistill.cli.jobs import at

    if data is None:
        return _with_data(known)
    if Path(data).is_dir() and not (Path(data) / "config.yaml").is_file():
        return {**known, "data": at(Path(data), known.get("data"))}
    return _with_data(config.read(data))


def _with_data(settings: dict[str, Any]) -> dict[str, Any]:
    from segdistill.core import SegDistillError

    if "data" not in settings:
        raise SegDistillError("The teacher does not say what it was trained on. Name the data with --data.")
    return settings
