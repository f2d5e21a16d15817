"""Dice and IoU of the mask at one threshold, per image, at the image's own size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segdistill.core import SegDistillError
from segdistill.metrics.overlap import Overlap
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.tasks import Task


@dataclass(frozen=True, kw_only=True)
class DiceAt(Protocol):
    """Dice and IoU of hard masks, mean over images.

    Args:
        threshold: Probability above which a pixel is foreground.
        empty: `"one"`: an image with nothing to find counts 1 if nothing was predicted either, else 0.
            `"zero"`: 0. `"skip"`: it is left out, whatever was predicted.

    Raises:
        SegDistillError: If the rule for empty masks or the threshold does not exist.
    """

    reads: ClassVar[Reads] = "mask"

    threshold: float

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        self.check_empty("one", "zero", "skip")
        if not 0 < self.threshold < 1:
            raise SegDistillError(f"A threshold lies between 0 and 1, got {self.threshold}.")

    def metric(self, task: Task | None = None) -> Overlap:
        return Overlap(task, protocol=self)


DICE_AT_HALF = DiceAt(
    name="dice@0.5",
    version=1,
    threshold=0.5,
    empty="one",
    resize="logits, bilinearly, to the image's own size; the true mask is never resized",
    reference="mean over images of Dice (Dice 1945) and IoU (Jaccard 1912) of the mask at probability 0.5",
)
