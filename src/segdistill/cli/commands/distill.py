"""`segdistill distill`: a teacher into a student."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from segdistill.cli.options import Devices, Out, Overrides, Resume, Teacher


def command(
    recipe: Annotated[
        str | None, typer.Argument(help="Name, YAML file or run folder; `folder` where --data is given.")
    ] = None,
    *,
    out: Out,
    teacher: Teacher = None,
    student: Annotated[
        str | None, typer.Option(metavar="NAME", help="Network of the student (see `segdistill models`).")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that holds images/ and masks/.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(metavar="NAME[,NAME]", help="Methods to add up (see `segdistill methods`).")
    ] = None,
    cache: Annotated[
        bool,
        typer.Option(
            "--cache", help="Ask the teacher once per image and store it beside RUN, or find it there."
        ),
    ] = False,
    override: Overrides = None,
    resume: Resume = False,
    devices: Devices = None,
) -> None:
    """Distil a trained teacher into a small student.

    A method that needs no teacher, such as DeepSupervision, does without --teacher.

    `segdistill distill polyp-lite --teacher runs/teacher --out runs/student`

    `segdistill distill --teacher runs/teacher --data my-data --student smp.FPN --method KD,AT --out runs/kd`

    `segdistill distill polyp-lite --teacher runs/teacher --cache --out runs/student` (about as fast as no teacher)

    A stopped run goes on with `segdistill distill --resume --out runs/student`.
    """
    from segdistill.cli import jobs

    base = recipe or ("folder" if data else None)
    changes = jobs.flags(student=student, method=method, like=teacher if recipe is None else None)
    chosen = jobs.settings(
        base, out, [*changes, *(override or [])], resume=resume, devices=devices, data=data
    )
    if cache and chosen.get("cache") is None:
        chosen["cache"] = {}
    jobs.distill(chosen, out=out, teacher=teacher, resume=resume)
