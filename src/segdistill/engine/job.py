"""What was asked for, checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from segdistill import losses
from segdistill.core import SegDistillError
from segdistill.data import Data
from segdistill.engine import hooks, weights
from segdistill.engine.description import describe
from segdistill.engine.logs import Display
from segdistill.engine.trainable import Trainable
from segdistill.engine.training import Training
from segdistill.losses import Loss
from segdistill.methods import Method, Sum
from segdistill.taps import Tapped
from segdistill.tasks import TASKS, Binary, Task
from segdistill.teachers import Teacher, TeacherSource


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        trainable: Student, task, loss and method.
        teacher: Where the teacher's output comes from; `None` trains without one.
        data: Training, validation and test samples.
        training: The schedule.
        out: Folder of the run.
        config: What the run folder says was trained.
        resume: Go on where a run of the same configuration stopped.
        display: Shows the progress; chosen by where the output goes if `None`.
    """

    trainable: Trainable
    teacher: TeacherSource | None
    data: Data
    training: Training
    out: Path
    config: Mapping[str, Any]
    resume: bool = False
    display: Display | None = None


def job(
    student: Any,
    data: Any,
    *,
    out: Path | str,
    teacher: Any = None,
    method: Any = None,
    task: Any = None,
    loss: Any = None,
    training: Any = None,
    config: Mapping[str, Any] | None = None,
    resume: bool = False,
    display: Display | None = None,
) -> Job:
    """Bring arguments to one form.

    Raises:
        SegDistillError: If one is something else than it should be.
    """
    task, training = _task(task), _of(Training, training or Training(), "training", "Training(epochs=20)")
    loss = _of(Loss, loss or losses.default(task), "loss", "DiceBCE()")
    method = None if method is None else _method(method)
    if teacher is None:
        hooks.check_needs_no_teacher(method)
    trainable = Trainable(_network(student), task, loss, method)
    return Job(
        trainable,
        None if teacher is None else _source(teacher),
        _of(Data, data, "data", "Data(train=..., val=...)"),
        training,
        Path(out),
        config or describe(trainable, training),
        resume,
        display,
    )


def _of(kind: type[Any], value: Any, name: str, example: str) -> Any:
    if not isinstance(value, kind):
        raise SegDistillError(
            f"{name} is {_shown(value)}. Give a segdistill {kind.__name__}, such as {example}."
        )
    return value


def _network(value: Any) -> Tapped:
    if not isinstance(value, nn.Module):
        raise SegDistillError(
            f"The student is {_shown(value)}. Give a network, such as load('smp.FPN', classes=1)."
        )
    weights.check_savable(value)
    return value if isinstance(value, Tapped) else Tapped(value)


def _task(value: Any) -> Task:
    if value is None:
        return Binary()
    if not isinstance(value, tuple(TASKS.values())):
        raise SegDistillError(
            f"task is {_shown(value)}. Give one, such as Binary() or Multiclass(classes=...)."
        )
    return value  # type: ignore[return-value]


def _method(value: Any) -> Method:
    parts = list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    if not parts or not all(isinstance(part, Method) for part in parts):
        raise SegDistillError(f"method is {_shown(value)}. Give one, such as KD() or KD() + AT(taps='e4').")
    return parts[0] if len(parts) == 1 else Sum(*parts)


def _source(value: Any) -> TeacherSource:
    if isinstance(value, nn.Module):
        return Teacher(value)
    if not all(callable(getattr(value, name, None)) for name in ("tap", "to", "fingerprint", "__call__")):
        raise SegDistillError(
            f"The teacher is {_shown(value)}. Give a network, Run.load(path).student, or an Ensemble of Teachers."
        )
    return value  # type: ignore[no-any-return]


def _shown(value: Any) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"
