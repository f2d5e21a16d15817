"""The catalogue as a reader sees it: by what the methods compare, and where each of them works."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator

from segdistill.methods.arguments import written
from segdistill.methods.base import Method
from segdistill.methods.traits import ALL_TASKS

#: Title of every kind, and what its methods have in common.
CHAPTERS: dict[str, tuple[str, str]] = {
    "logits": ("Logits", "They compare predictions: no tap to choose, no adapter, any pair of networks."),
    "features": (
        "Features",
        "They compare maps inside the networks; where channels differ, a trained projection aligns them.",
    ),
    "relations": ("Relations", "They compare how pixels, channels, regions or images resemble each other."),
    "adversarial": ("Adversarial", "They train a discriminator beside the student."),
    "self": ("Without a teacher", "They learn from the student's own exits or from softened labels."),
}


def by_kind() -> dict[str, dict[str, type[Method]]]:
    """The catalogue in chapters."""
    return {
        kind: {name: cls for name, cls in sorted(Method.catalogue.items()) if cls.traits.kind == kind}
        for kind in CHAPTERS
    }


def summary(cls: type[Method]) -> str:
    """The sentence that says what a method is for."""
    return (inspect.getdoc(cls) or "").split("\n", 1)[0]


def describe(method: Method) -> list[str]:
    """The parts of a method as they are written, and the weight of the labels where it is not 1."""
    parts = [
        f"`{written(part)}` on {' and '.join(dict.fromkeys(part.student_taps))}" for part in method.parts
    ]
    if any(isinstance(inspect.getattr_static(part, "task_weight"), property) for part in method.parts):
        return [*parts, "the supervised loss by a weight that changes"]
    labels = math.prod(part.task_weight for part in method.parts)
    return parts if labels == 1 else [*parts, f"the supervised loss by {labels:.3g}"]


def where(cls: type[Method]) -> list[str]:
    """Where a method works and what to mind, in sentences."""
    return list(_where(cls))


def _where(cls: type[Method]) -> Iterator[str]:
    traits = cls.traits
    why = f" ({traits.reason})" if traits.reason else ""
    yield f"Tasks: {', '.join(traits.tasks)}{why if traits.tasks != ALL_TASKS else ''}."
    yield f"Spatial dimensions: {', '.join(map(str, traits.dimensions))}."
    taps = list(dict.fromkeys(cls().student_taps))
    yield f"Taps by default: {', '.join(taps) or 'none'}."
    yield _pixels(cls)
    if not traits.teacher:
        yield "It needs no teacher."
    yield _batch(cls)
    yield (
        "It is zero where student and teacher agree."
        if traits.zero
        else "It is not zero where student and teacher agree: watch its course, not its value."
    )
    if not traits.tiles:
        yield "It depends on the position, border or number of pixels: tiling an image changes it."
    if traits.draws:
        yield "It draws random numbers in every step, from the engine's seed."


def _pixels(cls: type[Method]) -> str:
    if not cls.traits.labels:
        return "It does not read the labels: it learns on ignored pixels too."
    return f"It reads the labels{', but learns on ignored pixels too' if cls.traits.everywhere else ''}."


def _batch(cls: type[Method]) -> str:
    traits = cls.traits
    if not traits.relational:
        return "Its value is a mean over images: the batch size does not matter."
    least = f", and needs at least {traits.images} in a batch" if traits.images > 1 else ""
    return f"It relates the images of a batch to each other{least}: its value depends on who shares a batch."
