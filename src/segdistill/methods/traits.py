"""What holds for a method: said once, printed on its page, checked by the contract tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from segdistill.core import Output, SegDistillError
from segdistill.tasks import Task

Kind = Literal["logits", "features", "relations", "adversarial", "self"]
ALL_TASKS = ("Binary", "Multiclass", "Multilabel")


@dataclass(frozen=True)
class Traits:
    """What holds for a method.

    Attributes:
        kind: What it compares, which is also its chapter in the docs.
        labels: It reads the mask.
        everywhere: It learns on ignored pixels too, although it reads the mask. One that does not read it always does.
        teacher: It needs a teacher; self-distillation does not.
        relational: It compares the images of a batch with each other, so its value is no mean over images.
        images: How many images a batch must have.
        dimensions: Numbers of spatial dimensions that it works in.
        tasks: Tasks that it has a meaning for.
        reason: Why it has none for the others, as the end of a sentence.
        zero: It is zero where the student equals the teacher and every adapter starts as the identity.
        tiles: It does not change where the same image is tiled.
        draws: It draws random numbers at every step.
    """

    kind: Kind = "logits"
    labels: bool = False
    teacher: bool = True
    relational: bool = False
    images: int = 1
    dimensions: tuple[int, ...] = (1, 2, 3)
    tasks: tuple[str, ...] = ALL_TASKS
    reason: str = ""
    zero: bool = True
    tiles: bool = True
    draws: bool = False
    everywhere: bool = False

    def check(self, name: str, output: Output, task: Task) -> None:
        """Refuse what the method has no meaning for.

        Args:
            name: Of the method.
            output: The student's, for a batch.
            task: What the pixels mean.

        Raises:
            SegDistillError: Saying what would do.
        """
        kind, images, dimensions = type(task).__name__, len(output.logits), output.logits.ndim - 2
        if kind not in self.tasks:
            because = f": {self.reason}" if self.reason else ""
            raise SegDistillError(f"{name} works for {_either(self.tasks)}, not for {kind}{because}.")
        if dimensions not in self.dimensions:
            raise SegDistillError(
                f"{name} works in {_either(self.dimensions)} spatial dimensions, but the logits have {dimensions}."
            )
        if images < self.images:
            raise SegDistillError(
                f"{name} compares images with each other: it needs {self.images} of them in a batch, got {images}. "
                f"Raise batch_size."
            )

    def check_mask(self, name: str, mask: object) -> None:
        """Refuse to go without labels where the method reads them.

        Args:
            name: Of the method.
            mask: What it was given.

        Raises:
            SegDistillError: Saying what would do.
        """
        if self.labels and mask is None:
            raise SegDistillError(
                f"{name} reads the labels, but got no mask. Give the batch's mask, or take a method that needs none, "
                f"such as KD or AT."
            )


def _either(values: tuple[object, ...]) -> str:
    return " or ".join(map(str, values))
