"""The sections of a recipe as objects of the library. Each function takes the value of its section."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segdistill.config.build import arguments, build
from segdistill.config.sections import complete_section, losses, methods, sources, tasks, training
from segdistill.config.variables import expand
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.data import Data
    from segdistill.engine import Trained, Training
    from segdistill.losses import Loss
    from segdistill.methods import Method
    from segdistill.taps import Tapped
    from segdistill.tasks import Task


def build_task(spec: Any) -> Task:
    """`Binary`, or `{Multiclass: {classes: [...]}}`."""
    task: Task = build(spec, tasks(), kind="task")
    return task


def build_data(spec: Any) -> Data:
    """`{folders: {root: ...}}`: training, validation and test sets."""
    data: Data = build(spec, sources(), kind="data source")
    return data


def build_loss(spec: Any) -> Loss:
    """`DiceBCE`, or `{DiceBCE: {smooth: 1}}`."""
    loss: Loss = build(spec, losses(), kind="loss")
    return loss


def build_method(spec: Any) -> Method:
    """`KD`, `{KD: {temperature: 2}}`, or a list of such: their sum."""
    from segdistill.methods import Sum

    parts = [build(part, methods(), kind="method") for part in (spec if isinstance(spec, list) else [spec])]
    if not parts:
        raise SegDistillError("method: is an empty list. Name a method, or use `segdistill train`.")
    return parts[0] if len(parts) == 1 else Sum(*parts)


def build_training(options: Mapping[str, Any]) -> Training:
    """`{epochs: 15, lr: 3e-4}`: how to train."""
    result: Training = training()(**arguments(training(), options, owner="training"))
    return result


def build_network(section: Mapping[str, Any], *, task: Task, seed: int = 0) -> Tapped:
    """`{net: NAME, weights: imagenet}`, or `{run: PATH}` for the network of a finished run or checkpoint.

    Args:
        section: The `student:` or `teacher:` of a recipe.
        task: How many logits the network needs.
        seed: Of the weights that are drawn; the caller's random state stays as it was.

    Raises:
        SegDistillError: If the network does not exist, or the run was trained for other classes.
    """
    import torch

    from segdistill.models import load

    full = complete_section("student", section)
    if "run" in full:
        return _from_run(Path(expand(full["run"])), task)
    options = arguments(load, {"spec": full.pop("net"), "classes": task.channels, **full}, owner="network")
    spec = options.pop("spec")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: Tapped = load(spec, **options)
    return network


def _from_run(path: Path, task: Task) -> Tapped:
    from segdistill.engine import open_trained

    found: Trained = open_trained(path)
    if not _same_labels(found.task, task):
        raise SegDistillError(
            f"The network of {path} was trained for {found.task}, but the recipe says {task}. Use one of that task."
        )
    return found.net


def _same_labels(one: Task, other: Task) -> bool:
    # With two classes the order is fixed, so what they are called does not matter.
    named = one.channels > 1 or other.channels > 1
    return type(one) is type(other) and (one.classes == other.classes or not named)
