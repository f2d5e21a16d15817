"""The protocols of mean IoU: one confusion matrix over the whole data set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segdistill.core import SegDistillError
from segdistill.metrics.miou.metric import PooledClasses
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.metrics.resample import short_side
from segdistill.tasks import Task


@dataclass(frozen=True, kw_only=True)
class MeanIoU(Protocol):
    """Mean over classes, background included, of the IoU over all pixels of the data set.

    Args:
        short_side: Length in pixels of the shorter side at which masks are compared; `None` for native size.
        boundary: Width of a boundary for boundary IoU, as a share of the image's diagonal.
        empty: `"pooled"`: pixels are pooled, so an image with nothing to find is no special case. A class
            that is in no mask of the data set is left out of means over classes.

    Raises:
        SegDistillError: If the rule for empty masks does not exist, or a size is not positive.
    """

    reads: ClassVar[Reads] = "mask"

    short_side: int | None = None
    boundary: float = 0.02

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        self.check_empty("pooled")
        if self.short_side is not None and self.short_side < 1:
            raise SegDistillError(
                f"The shorter side of an image is at least 1 pixel long, got {self.short_side}."
            )
        if not 0 < self.boundary < 1:
            raise SegDistillError(
                f"A boundary's width is a share of the diagonal between 0 and 1, got {self.boundary}."
            )

    @property
    def resizes_images(self) -> bool:
        """At a size of its own it does."""
        return self.short_side is not None

    def size_for(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return size if self.short_side is None else short_side((size[0], size[1]), self.short_side)

    def metric(self, task: Task | None = None) -> PooledClasses:
        return PooledClasses(task, protocol=self)


_ABSENT = (
    "Classes that are neither in the truth nor predicted are left out of means over classes; "
    "a class that was only predicted counts 0."
)

MIOU = MeanIoU(
    name="miou",
    version=1,
    empty="pooled",
    resize="none: predicted and true mask at the image's own size",
    reference="mean IoU over one confusion matrix (PASCAL VOC, Everingham 2010); frequency-weighted IoU (Long 2015); "
    "boundary IoU (Cheng 2021)",
    notes=(_ABSENT,),
)

VOC_513 = MeanIoU(
    name="voc-513",
    version=2,
    empty="pooled",
    short_side=513,
    resize="true mask: nearest by pixel centres, shorter side 513, longer side rounded down; "
    "predicted mask: taken as it is at that size, else resized in the same way",
    reference="DeepLabV3+ re-implementations that validate on resized labels, such as AICSD (Mansourian 2023)",
    notes=(
        _ABSENT,
        "Labels were resized, so these numbers do not compare with mean IoU at native size.",
        "The published numbers come from images resized to 513 before the network sees them: so it is done for "
        "networks that take any size; one with a size of its own sees the image at that, and its logits are "
        "resized to 513. Predicted masks that came at native size were resized as masks; `resized_predictions` counts "
        "them.",
    ),
)
