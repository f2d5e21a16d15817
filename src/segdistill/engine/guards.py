"""Nothing is silently wrong: the checks before, at and after the first step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from segdistill.core import Batch, Output, SegDistillError
from segdistill.engine import hooks
from segdistill.engine.trainable import TASK, Trainable, flatten
from segdistill.methods import Method
from segdistill.taps import Tapped
from segdistill.teachers import TeacherSource


def check_separate(student: Tapped, teacher: TeacherSource) -> None:
    """Refuse a teacher that shares weights with the student, since it would move with it.

    Raises:
        SegDistillError: If any parameter is shared.
    """
    nets = [
        t.net
        for t in getattr(teacher, "teachers", [teacher])
        if isinstance(getattr(t, "net", None), nn.Module)
    ]
    theirs = {p.data_ptr() for net in nets for p in net.parameters() if p.numel()}
    if any(p.data_ptr() in theirs for p in student.parameters() if p.numel()):
        raise SegDistillError(
            "Teacher and student share weights. Give the student a copy: copy.deepcopy(net)."
        )


@dataclass
class Probe:
    """What the first step would do.

    Attributes:
        terms: By term: `value`, `share` of the total, and `gradient`, the norm over the student's parameters.
        idle: Parameters of the student that no term reaches.
    """

    terms: dict[str, dict[str, float]]
    idle: list[str]


def probe(
    trainable: Trainable,
    batch: Batch,
    teacher: Output | None,
    *,
    context: AbstractContextManager[Any],
    scale: float = 1.0,
) -> Probe:
    """Compute every term and its own gradient before the first step, and leave no trace.

    Args:
        trainable: What will be trained, in training mode.
        batch: A real one.
        teacher: The teacher's output for it.
        context: Of the forward pass.
        scale: Factor of the loss in the backward pass, where half precision would lose small gradients.

    Raises:
        SegDistillError: If a term is not a finite scalar, or does not train the student.
    """
    buffers = {name: b.detach().clone() for name, b in trainable.named_buffers()}
    student = {name: p for name, p in trainable.student.named_parameters() if p.requires_grad}
    with context:
        terms = trainable(batch.image, batch.mask, None if teacher is None else flatten(teacher))
    values = scalars(terms)
    check_finite(values, "at the first step")
    found = {name: _gradients(name, value, list(student.values()), scale) for name, value in terms.items()}
    for name, b in trainable.named_buffers():
        b.copy_(buffers[name])
    total = sum(map(abs, values.values())) or 1.0
    return Probe(
        terms={
            name: {
                "value": value,
                "share": abs(value) / total,
                "gradient": _norm(name, value, found[name][0], switched_off=trainable.task_weight == 0),
            }
            for name, value in values.items()
        },
        idle=[
            name
            for index, name in enumerate(student)
            if not any(reached[index] for _, reached in found.values())
        ],
    )


def scalars(terms: Mapping[str, Tensor]) -> dict[str, float]:
    """The values of terms.

    Raises:
        SegDistillError: Naming the first that is not a scalar.
    """
    for name, value in terms.items():
        if not isinstance(value, Tensor) or value.ndim:
            shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
            raise SegDistillError(f"The term {name!r} is {shape}, not a scalar. Reduce it by its mean.")
    return {name: value.item() for name, value in terms.items()}


def _gradients(
    name: str, term: Tensor, parameters: list[nn.Parameter], scale: float
) -> tuple[float, list[bool]]:
    """Norm of a term's gradient over the student's parameters, and which of them it reaches."""
    if not term.requires_grad:
        raise SegDistillError(
            f"The term {name!r} has no gradient: it does not depend on the student. {_way_out(name)}"
        )
    grads = torch.autograd.grad(term * scale, parameters, retain_graph=True, allow_unused=True)
    norm = torch.nn.utils.get_total_norm([g.float() for g in grads if g is not None]).item() / scale
    return norm, [g is not None for g in grads]


def _norm(name: str, value: float, norm: float, *, switched_off: bool) -> float:
    if norm == 0 and not (name == TASK and switched_off):
        raise SegDistillError(
            f"The term {name!r} has a gradient of exactly zero at the first step (its value is {value:.4g}). "
            f"{_way_out(name)}"
        )
    if not math.isfinite(norm):
        raise SegDistillError(
            f"The term {name!r} has a gradient that is not finite at the first step. {_way_out(name)}"
        )
    return norm


def _way_out(name: str) -> str:
    return (
        "Check the labels and the loss." if name == TASK else "Remove it, or tap a feature that is trained."
    )


def check_finite(terms: Mapping[str, float], when: str) -> None:
    """Stop at a term that is NaN or infinite.

    Raises:
        SegDistillError: Naming the term and when it happened.
    """
    for name, value in terms.items():
        if not math.isfinite(value):
            raise SegDistillError(
                f"The term {name!r} is {value} {when}. "
                f"Lower lr, clip gradients with clip_norm, or take precision '32'."
            )


def check_gradient(norm: Tensor, when: str) -> None:
    """Stop at a gradient that is NaN or infinite.

    Raises:
        SegDistillError: Saying when it happened.
    """
    if not torch.isfinite(norm):
        raise SegDistillError(
            f"The gradient is {norm.item()} {when}. Lower lr, or take precision '32' or 'bf16'."
        )


class AdapterGuard:
    """Proves at the first step that everything of a method that is to be trained is trained.

    Args:
        method: What to watch; `None` where there is none.
        optimized: `id` of every parameter that the optimiser moves.
    """

    def __init__(self, method: Method | None, optimized: set[int]) -> None:
        self.method, self.optimized = method, optimized
        self.before: list[list[Tensor]] = []

    def before_step(self) -> None:
        """After the backward pass: every parameter is in the optimiser and has a gradient.

        Raises:
            SegDistillError: Naming the first that is not trained.
        """
        if self.method is None:
            return
        for name, parameter in self.method.named_parameters():
            if parameter.requires_grad:
                self._check(name, parameter)
        self.before = [[p.detach().clone() for p in _trained(part)] for part in self.method.parts]

    def _check(self, name: str, parameter: nn.Parameter) -> None:
        if id(parameter) not in self.optimized:
            raise SegDistillError(
                f"The method's parameter {name!r} is not in the optimiser. Create it in build()."
            )
        if parameter.grad is None:
            raise SegDistillError(
                f"The method's parameter {name!r} got no gradient in the first step. "
                f"Use it in forward(), or remove it."
            )

    def after_step(self) -> None:
        """After the optimiser's step: in every part that has parameters, some have moved.

        Not each of them: behind a factor that starts at zero there is no gradient yet.

        Raises:
            SegDistillError: Naming a part of which none moved.
        """
        for part, before in zip(hooks.parts(self.method), self.before, strict=True):
            if before and all(map(torch.equal, before, _trained(part))):
                raise SegDistillError(
                    f"No parameter of {type(part).__name__} moved in the first step: their gradients are zero, "
                    f"or lr is too small for them."
                )
        self.before = []


def _trained(part: Method) -> list[nn.Parameter]:
    return [p for p in part.parameters() if p.requires_grad]


class TeacherGuard:
    """Proves that a teacher did not move, down to the byte.

    Args:
        teacher: What to watch; `None` where there is none.

    Attributes:
        before: Hash of the teacher at the start.
    """

    def __init__(self, teacher: TeacherSource | None) -> None:
        self.teacher = teacher
        self.before = teacher.fingerprint() if teacher is not None else ""

    def check(self) -> None:
        """Compare with the start.

        Raises:
            SegDistillError: If any weight or buffer changed.
        """
        if self.teacher is not None and self.teacher.fingerprint() != self.before:
            raise SegDistillError(
                "The teacher's weights changed during training. Something outside segdistill updates them; "
                "give distill() a teacher of its own."
            )
