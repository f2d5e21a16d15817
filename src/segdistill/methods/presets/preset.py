"""Losses, taps and weights that belong together, as they were published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from segdistill.core import unknown
from segdistill.methods.base import Method

VARIANTS = ("paper", "as_released")


@dataclass(frozen=True)
class Preset:
    """A published recipe of losses. Call it to get the method.

    Attributes:
        name: What a recipe writes.
        about: What it is, in a sentence.
        source: Where it comes from.
        differences: What the authors' code does that their paper does not say, and what of it `as_released` repeats.
        paper: Makes what the paper says.
        released: Makes what the code computes; `None` where that is the same.
    """

    name: str
    about: str
    source: str
    differences: str
    paper: Callable[[], Method]
    released: Callable[[], Method] | None = None

    def __call__(self, variant: str = "paper") -> Method:
        """Make the method.

        Args:
            variant: `paper`, or `as_released` for what the authors' code computes.

        Raises:
            SegDistillError: If there is no such variant.
        """
        if variant not in VARIANTS:
            raise unknown(f"variant of {self.name}", variant, VARIANTS)
        return (self.released if variant == "as_released" and self.released else self.paper)()


def with_task_weight(method: Method, weight: float) -> Method:
    """Weigh the supervised loss too, where a release scales both."""
    method.task_weight = weight
    return method
