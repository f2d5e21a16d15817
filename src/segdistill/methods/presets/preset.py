"""Losses, taps and weights that belong together, as they were published."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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
        paper: Makes what the paper says. Its arguments, if it has any, are options of the preset.
        released: Makes what the code computes, from the same arguments; `None` where that is the same.
    """

    name: str
    about: str
    source: str
    differences: str
    paper: Callable[..., Method]
    released: Callable[..., Method] | None = None

    @property
    def __signature__(self) -> inspect.Signature:
        """The variant and the options: what a recipe may say."""
        variant = inspect.Parameter(
            "variant", inspect.Parameter.POSITIONAL_OR_KEYWORD, default="paper", annotation=str
        )
        options = inspect.signature(self.paper).parameters.values()
        return inspect.Signature([variant, *options])

    def __call__(self, variant: str = "paper", **options: Any) -> Method:
        """Make the method.

        Args:
            variant: `paper`, or `as_released` for what the authors' code computes.
            options: Numbers that the project leaves to its users; most presets have none.

        Raises:
            SegDistillError: If there is no such variant or option.
        """
        if variant not in VARIANTS:
            raise unknown(f"variant of {self.name}", variant, VARIANTS)
        known = self.__signature__.parameters
        for option in options:
            if option not in known:
                raise unknown(f"option of {self.name}", option, known)
        return (self.released if variant == "as_released" and self.released else self.paper)(**options)


def with_task_weight(method: Method, weight: float) -> Method:
    """Weigh the supervised loss too, where a release scales both."""
    method.task_weight = weight
    return method
