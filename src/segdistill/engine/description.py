"""Objects as plain data, so that a run folder says what was trained."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

from segdistill.engine.trainable import Trainable
from segdistill.engine.training import Training
from segdistill.methods import Sum
from segdistill.tasks import to_plain


def describe(trainable: Trainable, training: Training) -> dict[str, Any]:
    """The configuration of a run that was started from Python."""
    student = trainable.student
    return {
        "task": to_plain(trainable.task),
        "student": {"net": network(student.net), "size": list(student.size) if student.size else None},
        "method": None if trainable.method is None else options(trainable.method),
        "loss": options(trainable.loss),
        "training": training.as_dict(),
    }


def network(net: nn.Module) -> str:
    """The class of a network."""
    return f"{type(net).__module__}.{type(net).__qualname__}"


def options(module: nn.Module) -> Any:
    """A method or loss as `{NAME: {option: value}}`, a sum as a list of such."""
    if isinstance(module, Sum):
        return [options(part) for part in module.parts]
    names = inspect.signature(type(module)).parameters
    return {type(module).__name__: {n: plain(getattr(module, n)) for n in names if hasattr(module, n)}}


def plain(value: Any) -> Any:
    """A value as JSON and YAML know it; what they do not know, by its name."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
