"""What HLFD and its relatives share: a weighted sum of terms."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from segdistill.core import Output
from segdistill.methods.base import Method, key
from segdistill.methods.parts.hlfd_terms import Classes, Term
from segdistill.methods.parts.limits import check_factors, check_positive, check_weight
from segdistill.tasks import Task

Terms = Mapping[str, tuple[float, Term]]


class BetweenLevels(Method, listed=False):
    """A weighted sum of terms: `pixel` of those at the decoder and the logits, `feature` of those at the encoder."""

    def __init__(self, pixel: float, feature: float, temperature: float, weight: float) -> None:
        super().__init__()
        name = type(self).__name__
        check_weight(name, weight)
        check_factors(name, {"pixel": pixel, "feature": feature})
        check_positive(name, temperature=temperature)
        self.pixel, self.feature, self.temperature, self.weight = pixel, feature, temperature, weight

    def compose(self, pixel: Terms, feature: Terms) -> None:
        """Take over the terms with their factors; those with a factor of zero are not made."""
        scaled = {f"pixel/{name}": (self.pixel * factor, term) for name, (factor, term) in pixel.items()}
        scaled |= {
            f"feature/{name}": (self.feature * factor, term) for name, (factor, term) in feature.items()
        }
        self.factors = {name: factor for name, (factor, _) in scaled.items() if factor > 0}
        self.terms = nn.ModuleDict({key(name): scaled[name][1] for name in self.factors})
        kept: list[Term] = [self.term(name) for name in self.factors]
        self.student_taps = tuple(dict.fromkeys(tap for term in kept for tap in term.student))
        self.teacher_taps = tuple(dict.fromkeys(tap for term in kept for tap in term.teacher))

    def term(self, name: str) -> Term:
        """A term by its name."""
        return self.terms[key(name)]  # type: ignore[return-value]

    def classes(self, *taps: str) -> Term:
        """Divergence of some of the student's levels from the teacher's logits."""
        return Classes(taps, self.temperature)

    def build(self, student: Output, teacher: Output, task: Task) -> None:
        super().build(student, teacher, task)
        for name in self.factors:
            self.term(name).build(type(self).__name__, student, teacher, task)

    def forward(self, student: Output, teacher: Output, mask: Tensor) -> dict[str, Tensor]:
        with torch.autocast(student.logits.device.type, enabled=False):
            return {
                f"{type(self).__name__}/{name}": self.weight * factor * self.term(name)(student, teacher)
                for name, factor in self.factors.items()
            }
