"""What every distillation method is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from segdistill.core import Output, SegDistillError
from segdistill.methods.adapters import Adapter, match_size
from segdistill.taps import LOGITS
from segdistill.tasks import Task

Taps = str | Sequence[str] | Mapping[str, str]


class Method(nn.Module):
    """Turn a student's and a teacher's output into named losses.

    Most subclasses should rather derive from `PairMethod` and write `compare`.

    Attributes:
        paper: Where the method comes from.
        student_taps: Features of the student that the method reads.
        teacher_taps: Features of the teacher.
        task: What the pixels mean, known from `build` on.
    """

    paper: ClassVar[str] = ""
    catalogue: ClassVar[dict[str, type[Method]]] = {}

    student_taps: Sequence[str] = ()
    teacher_taps: Sequence[str] = ()
    task: Task

    def __init_subclass__(cls, *, listed: bool = True) -> None:
        super().__init_subclass__()
        if listed:
            Method.catalogue[cls.__name__] = cls

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        """Learn the task and create what depends on feature shapes, from one probe batch.

        Called once, before the optimiser exists, so that everything created here is trained.
        """
        self.task = task

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            student: With a graph.
            teacher: Without one.
            mask: Labels as the task has them.

        Returns:
            Weighted scalars by name; the engine adds them to the supervised loss.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward().")

    def __add__(self, other: Method) -> Sum:
        return Sum(self, other) if isinstance(other, Method) else NotImplemented


class PairMethod(Method, listed=False):
    """Compare one feature of the student with one of the teacher at a time.

    Subclasses write `compare`; sizes, channels, precision and weighting are dealt with here.

    Args:
        taps: Where to compare: one name, several, or a mapping from the student's names to the teacher's.
        weight: Factor of this method in the total loss.

    Raises:
        SegDistillError: If there are no taps, or the weight is not positive.
    """

    #: Whether a trained projection maps the student's channels onto the teacher's.
    adapts: ClassVar[bool] = False

    def __init__(self, taps: Taps = LOGITS, weight: float = 1.0) -> None:
        super().__init__()
        names = [taps] if isinstance(taps, str) else taps
        self.pairs = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
        if not self.pairs:
            raise SegDistillError(
                f"{type(self).__name__} got no taps. Name at least one, such as taps='logits'."
            )
        if not weight > 0:
            raise SegDistillError(
                f"{type(self).__name__} needs a positive weight, got {weight}. Leave the method out to switch it off."
            )
        self.weight = weight
        self.student_taps, self.teacher_taps = tuple(self.pairs), tuple(self.pairs.values())
        self.adapters = nn.ModuleDict()

    @property
    def taps(self) -> dict[str, str]:
        """Where features are compared: the student's names, with the teacher's."""
        return self.pairs

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for mine, theirs in self.pairs.items():
            have, want = student[mine], teacher[theirs]
            self._check(mine, have, theirs, want)
            if self.adapts:
                self.adapters[_key(mine)] = Adapter(have.shape[1], want.shape[1], dimensions=have.ndim - 2)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        name = type(self).__name__
        # Half precision loses the differences that distillation is about.
        with torch.autocast(student.logits.device.type, enabled=False):
            return {
                f"{name}/{mine}": self.weight
                * self.compare(*self._aligned(mine, student[mine], teacher[theirs]))
                for mine, theirs in self.pairs.items()
            }

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Distance of two `(B, C, *spatial)` float32 tensors, as a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define compare().")

    def _aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        have, want = student.float(), teacher.detach().float()
        if _key(tap) in self.adapters:
            have = self.adapters[_key(tap)](have)
        return have, match_size(want, have.shape[2:])

    def _check(self, mine: str, have: Tensor, theirs: str, want: Tensor) -> None:
        name = type(self).__name__
        if have.ndim != want.ndim:
            raise SegDistillError(
                f"{name} cannot compare tap {mine!r} {tuple(have.shape)} of the student with {theirs!r} "
                f"{tuple(want.shape)} of the teacher: one has {have.ndim - 2} spatial dimensions, "
                f"the other {want.ndim - 2}."
            )
        if LOGITS in (mine, theirs) and have.shape[1] != want.shape[1]:
            raise SegDistillError(
                f"{name} compares logits, but the student has {have.shape[1]} classes and the teacher {want.shape[1]}. "
                f"Use a teacher of the same task, or compare features."
            )


class Sum(Method, listed=False):
    """Several methods at once: `KD() + AT(taps="e4")`.

    Args:
        parts: The methods; two of one name are told apart by a number.
    """

    def __init__(self, *parts: Method) -> None:
        super().__init__()
        flat = [p for part in parts for p in (part.parts if isinstance(part, Sum) else [part])]
        self.parts: Sequence[Method] = nn.ModuleList(flat)  # type: ignore[assignment]
        self.student_taps = tuple(tap for part in flat for tap in part.student_taps)
        self.teacher_taps = tuple(tap for part in flat for tap in part.teacher_taps)

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for part in self.parts:
            part.build(student, teacher, task)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for part in self.parts:
            for name, value in part(student, teacher, mask).items():
                losses[_free(name, losses)] = value
        return losses


def _free(name: str, taken: Mapping[str, Tensor]) -> str:
    if name not in taken:
        return name
    return next(f"{name}#{n}" for n in range(2, len(taken) + 3) if f"{name}#{n}" not in taken)


def _key(tap: str) -> str:
    return tap.replace(".", "/")  # module names must not hold dots
