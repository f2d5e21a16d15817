"""`segdistill train`: a recipe's student alone, its teacher, or its student with the teacher."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from segdistill.cli.options import Devices, Out, Overrides, Resume, Teacher

if TYPE_CHECKING:
    from segdistill.config.jobs import Role


class Mode(StrEnum):
    """What of a recipe to train."""

    baseline = "baseline"
    teacher = "teacher"
    distillation = "distillation"


def command(
    recipe: Annotated[
        str | None, typer.Argument(help="Name (see `segdistill recipes`), YAML file, or run folder.")
    ] = None,
    *,
    out: Out,
    override: Overrides = None,
    mode: Annotated[
        Mode, typer.Option(help="The student alone, the teacher, or the student with the teacher.")
    ] = Mode.baseline,
    teacher: Teacher = None,
    resume: Resume = False,
    devices: Devices = None,
) -> None:
    """Train one network of a recipe: the student alone, the teacher, or the student with the teacher.

    `segdistill train polyp-lite --mode teacher --out runs/teacher`

    `segdistill train polyp-lite --mode baseline --out runs/baseline -o training.seed=1`

    `segdistill train polyp-lite --mode distillation --teacher runs/teacher --out runs/student`

    The last does what `segdistill distill` does, which also takes the parts of an experiment one by one.

    A stopped run goes on with `segdistill train --resume --out runs/baseline`.
    """
    from segdistill import config
    from segdistill.cli import jobs
    from segdistill.core import SegDistillError

    if teacher and mode is not Mode.distillation:
        raise SegDistillError(
            f"--teacher is for --mode distillation, not {mode.value}; leave one of them out."
        )
    chosen = jobs.settings(recipe, out, override, resume=resume, devices=devices)
    if mode is Mode.distillation:
        jobs.distill(chosen, out=out, teacher=teacher, resume=resume)
    else:
        role: Role = "teacher" if mode is Mode.teacher else "student"
        jobs.tell_checkpoints({"student": chosen.get(role)})
        jobs.summarize(config.train_recipe(chosen, out=out, role=role, resume=resume))
