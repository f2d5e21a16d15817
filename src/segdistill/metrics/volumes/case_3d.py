"""All that is asked of a case, per label: overlap, distances in both definitions, and volume."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from segdistill.core import SegDistillError
from segdistill.metrics.volumes.cases import Row
from segdistill.metrics.volumes.distances import (
    between,
    percentile_of_area,
    percentile_of_points,
    surface_dice,
)
from segdistill.metrics.volumes.family import Volumes
from segdistill.metrics.volumes.pairs import crop
from segdistill.metrics.volumes.regions import Region, Voxels
from segdistill.metrics.volumes.surfaces import Bits, Spacing, edge_voxels, surface_elements


@dataclass(frozen=True, kw_only=True)
class CaseByCase(Volumes):
    """Dice, HD95 in two definitions, surface Dice (NSD) and volume error in ml, per case and label.

    Without a task, every label is scored that is in some true volume, as `label_1` and so on; those that were only
    predicted are noted.

    Args:
        tolerance: Distance in millimetres within which surfaces count as the same.
        empty: `"kits"`: a label that neither volume has counts 1 in Dice and NSD. `"skip"`: it is left out. Either
            way, one that only one volume has counts 0 there, and its distances, infinite, are left out and counted.

    Raises:
        SegDistillError: If the rule for empty masks or the tolerance does not exist.
    """

    measures: ClassVar[tuple[str, ...]] = (
        "dice",
        "nsd",
        "hd95_edge",
        "hd95_surfel",
        "volume_error_ml",
        "absolute_volume_error_ml",
    )
    headline: ClassVar[tuple[str, ...]] = ("dice", "nsd", "hd95_edge", "hd95_surfel")

    tolerance: float

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        self.check_empty("kits", "skip")
        if not (self.tolerance >= 0 and math.isfinite(self.tolerance)):
            raise SegDistillError(f"A tolerance is a length in millimetres, got {self.tolerance}.")

    def score(self, predicted: Bits, target: Bits, region: Region, spacing: Spacing) -> Row:
        voxels, millilitres = Voxels.of(predicted, target), math.prod(spacing) / 1000
        error = (voxels.predicted - voxels.target) * millilitres
        return {
            "empty": voxels.empty,
            **(
                self._without_surface(voxels) if voxels.empty else self._distances(predicted, target, spacing)
            ),
            **({} if voxels.empty == "both" else {"dice": voxels.dice}),
            "volume_ml": voxels.target * millilitres,
            "volume_error_ml": error,
            "absolute_volume_error_ml": abs(error),
            **voxels._asdict(),
        }

    def _without_surface(self, voxels: Voxels) -> Row:
        overlap = 0.0 if voxels.empty != "both" else 1.0 if self.empty == "kits" else None
        return {"dice": overlap, "nsd": overlap, "hd95_edge": None, "hd95_surfel": None}

    def _distances(self, predicted: Bits, target: Bits, spacing: Spacing) -> Row:
        masks = crop(predicted, target)
        one, other = (edge_voxels(mask) for mask in masks)
        edges = between(one, other, spacing)
        one, other = (surface_elements(mask, spacing) for mask in masks)
        elements = between(one, other, spacing)
        return {
            "dice": None,
            "nsd": surface_dice(elements, self.tolerance),
            "hd95_edge": percentile_of_points(edges, 95),
            "hd95_surfel": percentile_of_area(elements, 95),
        }


CASE_3D = CaseByCase(
    name="case-3d",
    version=2,
    empty="kits",
    resize="none: cases are scored on all slices in their original grid",
    tolerance=1.0,
    reference="Dice 1945; 95th percentile of the Hausdorff distance, hd95_edge as in MONAI, over voxels with a face to "
    "the outside, hd95_surfel as in surface-distance, over surface elements by their area; NSD of Nikolov et al., Deep "
    "learning to achieve clinically applicable segmentation of head and neck anatomy for radiotherapy (2018)",
    notes=(
        "hd95_edge and hd95_surfel differ on the same masks: compare like with like.",
        "nsd is the surface Dice at 1 mm.",
        "Where one of the two masks is empty the distance is infinite: such cases are left out of its mean and counted "
        "under spread and affected.",
    ),
)
