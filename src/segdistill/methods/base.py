"""What every distillation method is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from segdistill.core import Output, SegDistillError
from segdistill.methods.arguments import keeping
from segdistill.methods.parts.adapters import Adapter, match_size
from segdistill.methods.parts.limits import check_weight
from segdistill.methods.traits import Traits
from segdistill.taps import LOGITS
from segdistill.tasks import Task

Taps = str | Sequence[str] | Mapping[str, str]


class Method(nn.Module):
    """Turn a student's and a teacher's output into named losses.

    Most subclasses should rather derive from `PairMethod` and write `compare`.

    Four hooks serve the methods that need more than a forward pass; all do nothing unless defined. In their order:
    `examine` reads the teacher's modules, `build` makes what is trained, `prepare` learns from the teacher alone, and
    an auxiliary network (a discriminator) takes a step of its own after every step of the student.

    Attributes:
        paper: Where the method comes from.
        traits: What holds for the method.
        student_taps: Features of the student that the method reads.
        teacher_taps: Features of the teacher.
        task: What the pixels mean, known from `build` on.
        progress: How far the training is, from 0 to 1; whoever trains keeps it up to date.
        task_weight: Factor of the supervised loss, for methods that trade it against their own.
        preparation: How many batches `prepare` wants.
        arguments: What it was made with, by name; defaults are left out.
    """

    paper: ClassVar[str] = ""
    traits: ClassVar[Traits] = Traits()
    catalogue: ClassVar[dict[str, type[Method]]] = {}

    student_taps: Sequence[str] = ()
    teacher_taps: Sequence[str] = ()
    task: Task
    progress: float = 0.0
    task_weight: float = 1.0
    preparation: int = 0
    arguments: Mapping[str, Any] = {}

    def __init_subclass__(cls, *, listed: bool = True) -> None:
        super().__init_subclass__()
        if "__init__" in vars(cls):
            cls.__init__ = keeping(cls.__init__)  # type: ignore[method-assign]
        if listed:
            Method.catalogue[cls.__name__] = cls

    @property
    def parts(self) -> Sequence[Method]:
        """The methods that this one consists of: itself, or the summands of a `Sum`."""
        return [self]

    def examine(self, teacher: nn.Module) -> None:
        """Read what is not in an output, such as batch norm's weights, from the teacher's modules.

        Called before `build`, and not at all where the teacher is a cache or an ensemble.

        Args:
            teacher: A `Tapped` network.
        """

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        """Learn the task and create what depends on feature shapes, from one probe batch.

        Called once, before the optimiser exists, so that everything created here is trained.

        Raises:
            SegDistillError: If the method has no meaning for the task, the dimensions or so small a batch.
        """
        self.traits.check(type(self).__name__, student, task)
        self.task = task

    def prepare(self, batches: Iterable[tuple[Output, Tensor]]) -> None:
        """Learn from the teacher alone, before the student's training.

        Args:
            batches: The teacher's output and the mask of `preparation` training batches.
        """

    def auxiliary_optimizer(self) -> Optimizer | None:
        """Optimiser of networks that work against or beside the student; the main one does not move them.

        They are frozen (`requires_grad_(False)`) except within `auxiliary_losses`' own step. Its learning rate follows
        the training's schedule.
        """
        return None

    def auxiliary_losses(self) -> dict[str, Tensor]:
        """Losses of the auxiliary networks, by name, on what the last forward pass saw."""
        return {}

    def __call__(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        """Compute the losses, see `forward`.

        Raises:
            SegDistillError: If the method reads labels, and there are none.
        """
        self.traits.check_mask(type(self).__name__, mask)
        return super().__call__(student, teacher, mask)  # type: ignore[no-any-return]

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        """Compute the losses.

        Args:
            student: With a graph.
            teacher: Without one; the student's own output where no teacher is there. A method that needs no
                teacher (`traits.teacher` is false) reads the student alone, since in a `Sum` there may be a real one.
            mask: Labels as the task has them.

        Returns:
            Weighted scalars by name; the engine adds them to the supervised loss.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward().")

    def __add__(self, other: Method) -> Sum:
        return Sum(self, other) if isinstance(other, Method) else NotImplemented


class PairMethod(Method, listed=False):
    """Compare one feature of the student with one of the teacher at a time.

    Subclasses write `compare`, or `compare_labelled` where the mask matters, or `compare_at` where the tap does;
    sizes, channels, precision and weighting are dealt with here.

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
        check_weight(type(self).__name__, weight)
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
                self.adapters[key(mine)] = self.adapter(have, want)

    def adapter(self, student: Tensor, teacher: Tensor) -> nn.Module:
        """Make what brings a feature of the student to the teacher's channels, from a sample of both."""
        return Adapter(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        name = type(self).__name__
        # Half precision loses the differences that distillation is about.
        with torch.autocast(student.logits.device.type, enabled=False):
            return {
                f"{name}/{mine}": self.weight
                * self.compare_at(mine, *self.aligned(mine, student[mine], teacher[theirs]), mask)
                for mine, theirs in self.pairs.items()
            }

    def compare_at(self, tap: str, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Distance at a tap of the student, for methods that keep something for each: variances, a memory."""
        return self.compare_labelled(student, teacher, mask)

    def compare_labelled(self, student: Tensor, teacher: Tensor, mask: Tensor) -> Tensor:
        """Distance of two `(B, C, *spatial)` float32 tensors under a mask at image size, as a scalar."""
        return self.compare(student, teacher)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Distance of two `(B, C, *spatial)` float32 tensors, as a scalar."""
        raise NotImplementedError(f"{type(self).__name__} must define compare().")

    def aligned(self, tap: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
        """Bring a pair to float32, the teacher's channels (where there is an adapter) and the student's size."""
        have, want = student.float(), teacher.detach().float()
        if key(tap) in self.adapters:
            have = self.adapters[key(tap)](have)
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
        flat = [p for part in parts for p in part.parts]
        self.methods: Sequence[Method] = nn.ModuleList(flat)  # type: ignore[assignment]
        self.student_taps = tuple(tap for part in flat for tap in part.student_taps)
        self.teacher_taps = tuple(tap for part in flat for tap in part.teacher_taps)

    @property
    def parts(self) -> Sequence[Method]:
        """The summands."""
        return self.methods

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for part in self.parts:
            part.build(student, teacher, task)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for part in self.parts:
            for name, value in part(student, teacher, mask).items():
                losses[free_name(name, losses)] = value
        return losses


def free_name(name: str, taken: Mapping[str, object]) -> str:
    """The name of a term, or with a number where another part has it already."""
    if name not in taken:
        return name
    return next(f"{name}#{n}" for n in range(2, len(taken) + 3) if f"{name}#{n}" not in taken)


def key(tap: str) -> str:
    """A tap as the name of a sub-module, which must not hold dots."""
    return tap.replace(".", "/")
