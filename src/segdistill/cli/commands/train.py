"""`segdistill train`: supervised training of a teacher, or of the student without distillation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from segdistill.cli.options import Devices, Out, Overrides, Resume


class Role(StrEnum):
    """Which network of a recipe."""

    student = "student"
    teacher = "teacher"


def command(
    recipe: Annotated[
        str | None, typer.Argument(help="Name (see `segdistill recipes`), YAML file, or run folder.")
    ] = None,
    *,
    out: Out,
    override: Overrides = None,
    role: Annotated[Role, typer.Option(help="Which network of the recipe to train.")] = Role.student,
    resume: Resume = False,
    devices: Devices = None,
) -> None:
    """Train a teacher, or the student without distillation: the baseline.

    `segdistill train polyp-lite --role teacher --out runs/teacher`

    `segdistill train polyp-lite --out runs/baseline -o training.seed=1`

    A stopped run goes on with `segdistill train --resume --out runs/baseline`.
    """
    from segdistill import config
    from segdistill.cli.jobs import settings, summarize

    chosen = settings(recipe, out, override, resume=resume, devices=devices)
    summarize(config.train_recipe(chosen, out=out, role=role.value, resume=resume))
