"""The protocol of calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segdistill.core import SegDistillError
from segdistill.metrics.calibration.metric import Calibration
from segdistill.metrics.maps import check_binary
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.tasks import Task


@dataclass(frozen=True, kw_only=True)
class Reliability(Protocol):
    """Calibration of foreground maps, over all pixels of the data set.

    Args:
        bins: How many bins of equal width [0, 1] is cut into.
        empty: `"pooled"`: pixels are pooled, so an image with nothing to find is no special case.

    Raises:
        SegDistillError: If the rule for empty masks does not exist, or there are fewer than two bins.
    """

    reads: ClassVar[Reads] = "map"

    bins: int = 15

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        self.check_empty("pooled")
        if not 2 <= self.bins <= 1000:
            raise SegDistillError(f"A reliability curve has 2 to 1000 bins, got {self.bins}.")

    def metric(self, task: Task | None = None) -> Calibration:
        check_binary(task, self.name)
        return Calibration(task, protocol=self)


CALIBRATION = Reliability(
    name="calibration",
    version=1,
    empty="pooled",
    resize="logits, bilinearly, to the image's own size; the true mask is never resized",
    reference="ECE (Naeini 2015; top-label form: Guo 2017), Brier score (Brier 1950), pooled over pixels",
    notes=(
        "Most pixels are background that every network is sure of, so the calibration error is small on small objects "
        "whatever happens at their rims: compare networks on one data set only, and look at the curve.",
        "Maps that were stretched per image or cut at a threshold are no probabilities, and these numbers then mean "
        "nothing; maps of 8 bits are rounded to 1/255, which moves the calibration error by up to .002.",
    ),
)
