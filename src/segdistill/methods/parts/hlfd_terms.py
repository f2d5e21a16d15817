"""What HLFD and its relatives are made of: terms, each comparing levels of the student with levels of the teacher."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from segdistill.core import Output, SegDistillError
from segdistill.methods.parts.adapters import Adapter, match_size
from segdistill.methods.parts.directions import unit
from segdistill.methods.parts.divergence import kl
from segdistill.methods.parts.energy import energy_map
from segdistill.methods.parts.levels import check_ranks, to_smaller, unify
from segdistill.taps import LOGITS
from segdistill.tasks import Task

PAPER = (
    "Gorade et al., Rethinking Intermediate Layers Design in Knowledge Distillation for Kidney and Liver Tumor "
    "Segmentation, ISBI 2024 (arXiv 2311.16700)"
)


class Term(nn.Module):
    """One comparison. Several levels of a network are unified: brought to the smallest of them and concatenated.

    Args:
        student: Levels of the student.
        teacher: Levels of the teacher.
    """

    def __init__(self, student: Sequence[str], teacher: Sequence[str]) -> None:
        super().__init__()
        self.student, self.teacher = tuple(student), tuple(teacher)

    def build(self, method: str, student: Output, teacher: Output, task: Task) -> None:
        """Create the projection, from a sample of both outputs."""
        check_ranks(method, student, self.student, teacher, self.teacher)
        self.task = task
        self.project = self.projection(unify(student, self.student), unify(teacher, self.teacher))

    def projection(self, student: Tensor, teacher: Tensor) -> nn.Module:
        """What is trained: nothing, unless a subclass says so."""
        return nn.Identity()

    def forward(self, student: Output, teacher: Output) -> Tensor:
        """The distance, a scalar."""
        return self.compare(unify(student, self.student), unify(teacher, self.teacher).detach())

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Distance of two unified maps in float32."""
        raise NotImplementedError(f"{type(self).__name__} must define compare().")


class Attention(Term):
    """Squared distance of unit-length maps of the fourth power, whatever the channels: mean over images."""

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return attention_distance(*to_smaller(student, teacher))


class Classes(Term):
    """Divergence of class distributions from the teacher's logits.

    Levels of the student other than its logits become logits through a trained 1x1 projection, and are then enlarged.

    Args:
        student: Levels of the student.
        temperature: Softness of the distributions.
    """

    def __init__(self, student: Sequence[str], temperature: float) -> None:
        super().__init__(student, (LOGITS,))
        self.temperature = temperature

    def projection(self, student: Tensor, teacher: Tensor) -> nn.Module:
        if self.student != (LOGITS,):
            return Adapter(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)
        if student.shape[1] != teacher.shape[1]:
            raise SegDistillError(
                f"The student has {student.shape[1]} classes and the teacher {teacher.shape[1]}. "
                f"Use a teacher of the same task."
            )
        return nn.Identity()

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        logits = match_size(self.project(student), teacher.shape[2:])
        s = self.task.log_probs(logits, self.temperature)
        t = self.task.log_probs(teacher, self.temperature)
        return kl(s, t, dim=1).mean() * self.temperature**2


class Directions(Term):
    """Squared distance of unit-length channel vectors, after a projection of the student: mean over positions."""

    def projection(self, student: Tensor, teacher: Tensor) -> nn.Module:
        return Adapter(student.shape[1], teacher.shape[1], dimensions=student.ndim - 2)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        return direction_distance(*to_smaller(self.project(student), teacher))


def attention_distance(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Mean over images of $\sum_i (q^s_i - q^t_i)^2$ with $q = n(\mathrm{mean}_c f_c^4)$ of unit length per image."""
    return (energy_map(student, 4) - energy_map(teacher, 4)).square().sum(dim=1).mean()


def direction_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean over positions of the squared distance of unit-length channel vectors."""
    return (unit(student) - unit(teacher)).square().sum(dim=1).mean()
