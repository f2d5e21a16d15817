"""What the training commands share: settings from flags, and what is printed in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill import config
from segdistill.cli.output import counter, duration, say, score, table
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.engine import Run


def settings(
    recipe: str | None,
    out: Path,
    overrides: Sequence[str] | None,
    *,
    resume: bool,
    devices: int | None = None,
    data: Path | None = None,
) -> dict[str, Any]:
    """The configuration that a command line asks for.

    Raises:
        SegDistillError: If there is no recipe, or an override leads nowhere.
    """
    if recipe is None and not resume:
        raise SegDistillError(
            "Name a recipe (`segdistill recipes` lists them), or go on with --resume --out RUN."
        )
    if recipe is None and not (out / "config.yaml").is_file():
        raise SegDistillError(f"There is no run to resume in {str(out)!r}: it has no config.yaml.")
    chosen = config.read(recipe or out)
    if recipe is None and not chosen:
        raise SegDistillError(
            f"{out / 'config.yaml'} is damaged: it is empty. Name the recipe, or train again."
        )
    if data is not None:
        chosen["data"] = at(data, chosen.get("data"))
    extra = [f"training.devices={devices}"] if devices else []
    return config.override(chosen, [*(overrides or []), *extra])


def at(root: Path, section: Any) -> dict[str, Any]:
    """A data section with another root; one that could not read it (synthetic data) gives way to `folders`."""
    name, options = next(iter(section.items())) if isinstance(section, dict) and section else (section, {})
    if name == "folders" or (name == "polyp" and not (root / "images").is_dir()):
        return {name: {**(options or {}), "root": str(root)}}
    return {"folders": {"root": str(root)}}


def flags(*, student: str | None, method: str | None, like: Path | None = None) -> list[str]:
    """`--student` and `--method` as overrides: names, or specs in YAML as a recipe has them.

    Args:
        student: Network of the student.
        method: Methods, separated by commas.
        like: A run whose labels these are, where no recipe says what the labels mean.
    """
    from segdistill.engine import Run

    changes = []
    if like is not None and not like.is_file():  # a published checkpoint is binary, as the default is
        changes.append(f"task={json.dumps(Run.load(like).config.get('task', 'Binary'))}")
    if student:
        changes.append(f"student.net={student}")
    if method:
        changes.append(f"method={method if method.lstrip().startswith(('{', '[')) else f'[{method}]'}")
    return changes


def tell_checkpoints(chosen: Mapping[str, Any], teacher: Path | None = None) -> None:
    """Say what published checkpoints are taken for, where they stand for a network of the recipe."""
    from segdistill.models import checkpoints

    sections = [{"run": teacher} if teacher else chosen.get("teacher"), chosen.get("student")]
    for path in (section.get("run") for section in sections if isinstance(section, Mapping)):
        if path and checkpoints.is_one(path):
            say(checkpoints.told(path, checkpoints.arguments(path, classes=1)))


def distill(chosen: dict[str, Any], *, out: Path, teacher: Path | None, resume: bool) -> None:
    """Distil, and sum up."""
    tell_checkpoints(chosen, teacher)
    with counter("asking the teacher") as progress:
        run = config.distill_recipe(chosen, out=out, teacher=teacher, resume=resume, progress=progress)
    summarize(run)


def summarize(run: Run) -> None:
    """Draw a run's curves, and print where it lies and how good it is."""
    from segdistill.report import history, plot

    plot.save([history.read(run.path)], run.path / "figures" / "curves.png")
    metrics = run.metrics
    rows = [
        ("validation, best", f"epoch {metrics['best']['epoch']}", *_scores(metrics["best"])),
        ("validation, last", f"epoch {metrics['last']['epoch']}", *_scores(metrics["last"])),
        *(("test", name, *_scores(scores)) for name, scores in metrics.get("tests", {}).items()),
    ]
    table(("", "", "Dice", "IoU"), rows)
    say(f"{run.path} is done, in {duration(metrics['seconds'])}.")


def _scores(row: dict[str, Any]) -> tuple[str, str]:
    return score(row.get("dice")), score(row.get("iou"))
