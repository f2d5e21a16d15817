"""Slice-wise scores as EMKD, HLFD and SPARK report them: to replicate their tables, and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from segdistill.core import SegDistillError
from segdistill.metrics.intake import to_array
from segdistill.metrics.volumes.cases import Row
from segdistill.metrics.volumes.family import Volumes
from segdistill.metrics.volumes.pairs import Pair, read_pair
from segdistill.metrics.volumes.regions import Region, Voxels
from segdistill.metrics.volumes.surfaces import Bits, Spacing


@dataclass(frozen=True, kw_only=True)
class ForegroundSlices(Volumes):
    """Dice over the slices of a case that show the foreground, the first axis, with 1 added above and below.

    Args:
        threshold: Probability above which a voxel is predicted, where probabilities are given.
        empty: `"skip"`: cases without foreground are left out.

    Raises:
        SegDistillError: If the rule for empty masks or the threshold does not exist.
    """

    in_millimetres: ClassVar[bool] = False
    measures: ClassVar[tuple[str, ...]] = ("dice", "voe", "rvd")

    threshold: float

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        self.check_empty("skip")
        if not 0 < self.threshold < 1:
            raise SegDistillError(f"A threshold lies between 0 and 1, got {self.threshold}.")

    @property
    def takes_probabilities(self) -> bool:
        return True

    def read(self, predicted: Any, target: Any, *, name: str, classes: Sequence[str]) -> Pair:
        """Check and crop two volumes; the predicted one may hold the probability of the foreground."""
        array = to_array(predicted)
        if array.dtype.kind == "f":
            low, high = (array.min(), array.max()) if array.size else (0, 0)
            if not (low >= 0 and high <= 1):
                raise SegDistillError(
                    f"The probabilities of {name!r} go from {low:g} to {high:g}; apply the softmax first."
                )
            if (label := int(np.max(to_array(target), initial=0))) > 1:
                raise SegDistillError(
                    f"The prediction of {name!r} holds probabilities of one foreground, its true volume the label "
                    f"{label}; save both as labels, or the true volume as 0 and 1."
                )
            array = array > self.threshold
        return read_pair(array, target, name=name, protocol=self.name, classes=classes)

    def score(self, predicted: Bits, target: Bits, region: Region, spacing: Spacing) -> Row:
        shown = target.any(axis=(1, 2))
        voxels = Voxels.of(predicted[shown], target[shown])
        none = {"dice": None, "voe": None, "rvd": None}
        return {
            "empty": Voxels.of(predicted, target).empty,
            **(self._measures(voxels) if voxels.target else none),
            "slices": int(np.count_nonzero(shown)),
            **voxels._asdict(),
        }

    def _measures(self, voxels: Voxels) -> Row:
        both, p, t = voxels.true_positives, voxels.predicted, voxels.target
        return {"dice": (2 * both + 1) / (p + t + 1), "voe": 2 * (p - both) / (p + t), "rvd": p / t - 1}


SLICE_2D = ForegroundSlices(
    name="slice-2d",
    version=2,
    empty="skip",
    resize="none",
    threshold=0.4,
    reference="Qin et al., Efficient medical image segmentation based on knowledge distillation, IEEE TMI 40 (2021), "
    "and the code that followed it",
    notes=(
        "Only slices that show the foreground are scored, so what is made up elsewhere costs nothing: not comparable "
        "with any leaderboard.",
        "voe is 2 (P - both) / (P + T), as in that code; the volumetric overlap error proper is 1 - Jaccard.",
        "That code scores the organ, all labels above 0 in one; here each label is scored alone: make them 1 first to "
        "replicate it.",
        "Predictions may be probabilities of one foreground, cut above 0.4 as in that code; in labels there is nothing "
        "left to cut.",
        "That code also crops to rows 50 to 433 and columns 60 to 443 first; crop the volumes to replicate it.",
    ),
)
