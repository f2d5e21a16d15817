"""Whole jobs from a recipe. What is written into a run folder describes that run only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from segdistill.config.caching import build_cached
from segdistill.config.files import names
from segdistill.config.objects import (
    build_data,
    build_loss,
    build_method,
    build_network,
    build_task,
    build_training,
)
from segdistill.config.resuming import as_begun
from segdistill.config.sections import complete
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.engine import Run
    from segdistill.taps import Tapped
    from segdistill.teachers import Cached
    from segdistill.teachers.caching import Progress

Role = Literal["student", "teacher"]


def for_training(config: Mapping[str, Any], role: Role = "student") -> dict[str, Any]:
    """The complete configuration of one supervised run.

    The network that is trained becomes the `student`, whatever its role in the recipe: training the
    result again gives the same run.

    Raises:
        SegDistillError: If a section is missing or wrong.
    """
    full = complete(config)
    _require(full, "data", role)
    wanted = ("name", "about", "task", "data", "student", "loss", "training")
    if role == "teacher":
        full["student"] = full["teacher"]
        full["training"] = {**full["training"], **full.get("teacher_training", {})}
    return {key: full[key] for key in wanted if key in full}


def for_distillation(config: Mapping[str, Any], *, teacher: str | Path | None = None) -> dict[str, Any]:
    """The complete configuration of one run with the recipe's `method:`.

    Where no part of the method needs a teacher and none has been trained, the run has none, and what the recipe says
    about one is left out.

    Args:
        config: A recipe.
        teacher: Run folder of the teacher; the recipe's `teacher:` may name one instead.

    Raises:
        SegDistillError: If a section is missing or wrong, or a teacher is needed and has not been trained.
    """
    recipe = {**config, "teacher": {"run": str(teacher)}} if teacher else dict(config)
    full = complete(recipe)
    _require(full, "data", "student", "method")
    full.pop("teacher_training", None)
    given = full.get("teacher", {})
    if "run" in given or _is_trained(given.get("weights")):
        return full
    if _needs_teacher(full["method"]):
        # What a file calls itself is not what it is called by.
        name = config["name"] if config.get("name") in names() else "RECIPE"
        raise SegDistillError(
            "The teacher is not trained yet: "
            f"run `segdistill train {name} --mode teacher --out runs/teacher`, then add --teacher runs/teacher."
        )
    return {section: value for section, value in full.items() if section not in ("teacher", "cache")}


def _needs_teacher(method: Any) -> bool:
    return any(part.traits.teacher for part in build_method(method).parts)


def train_recipe(
    config: Mapping[str, Any], *, out: str | Path, role: Role = "student", resume: bool = False
) -> Run:
    """Train the teacher or the student of a recipe without distillation.

    Args:
        config: A recipe, as `read` gives it.
        out: The run folder.
        role: Which network.
        resume: Go on where a stopped run left off.
    """
    from segdistill import engine

    full = for_training(config, role)
    _check_out(out, resume)
    task, training = build_task(full["task"]), build_training(full["training"])
    run: Run = engine.train(
        build_network(full["student"], task=task, seed=training.seed),
        build_data(full["data"]),
        out=out,
        task=task,
        loss=build_loss(full["loss"]),
        training=training,
        config=as_begun(full, out) if resume else full,
        resume=resume,
    )
    return run


def distill_recipe(
    config: Mapping[str, Any],
    *,
    out: str | Path,
    teacher: str | Path | None = None,
    resume: bool = False,
    progress: Progress | None = None,
) -> Run:
    """Distil the teacher of a recipe into its student, or train the student by a method that needs no teacher.

    Args:
        config: A recipe, as `read` gives it.
        out: The run folder.
        teacher: Run folder of the teacher, where one is needed.
        resume: Go on where a stopped run left off.
        progress: Called while the recipe's `cache:` is made, with the maps that are done, and all.
    """
    from segdistill import engine

    full = for_distillation(config, teacher=teacher)
    _check_out(out, resume)
    task, training = build_task(full["task"]), build_training(full["training"])
    method = build_method(full["method"])
    networks = {
        role: build_network(full[role], task=task, seed=training.seed)
        for role in ("teacher", "student")
        if role in full
    }
    data = build_data(full["data"])
    chain: list[Tapped | Cached] = [*networks.values()]
    if "cache" in full:
        chain[0] = build_cached(
            full["cache"],
            networks["teacher"],
            data,
            method,
            task=task,
            training=training,
            out=Path(out),
            progress=progress,
        )
    fit: Callable[..., Run] = engine.distill if "teacher" in full else engine.train
    return fit(
        *chain,
        data,
        method=method,
        out=out,
        task=task,
        loss=build_loss(full["loss"]),
        training=training,
        config=as_begun(full, out) if resume else full,
        resume=resume,
    )


def _check_out(out: str | Path, resume: bool) -> None:
    # The engine checks this too; here it comes before minutes of reading data and building networks.
    from segdistill.engine.run import check_absent

    if not resume:
        check_absent(Path(out))


def _is_trained(weights: Any) -> bool:
    from segdistill.models.weights import names_file

    return weights is not None and names_file(weights)


def _require(config: Mapping[str, Any], *sections: str) -> None:
    for section in sections:
        if section not in config:
            raise SegDistillError(f"The recipe has no {section}: section, which this job needs.")
