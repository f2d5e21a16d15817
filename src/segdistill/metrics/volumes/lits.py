"""The protocol of the liver tumour challenge LiTS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from segdistill.metrics.volumes.cases import Row
from segdistill.metrics.volumes.distances import average, between, largest
from segdistill.metrics.volumes.family import Volumes
from segdistill.metrics.volumes.lesions import Detection, detect
from segdistill.metrics.volumes.pairs import Labels, Pair, crop
from segdistill.metrics.volumes.regions import Region, Voxels
from segdistill.metrics.volumes.surfaces import Bits, Spacing, edge_voxels


@dataclass(frozen=True, kw_only=True)
class LiverTumours(Volumes):
    """Overlap and surface distances of liver and tumour, lesions found, and the share of the liver that is tumour.

    Args:
        empty: `"one"`: a region that neither volume has counts Dice and Jaccard 1, one that only one of them has 0;
            where either is empty the distances, and where there is nothing to find the volume difference, are left
            out and counted.

    Raises:
        SegDistillError: If the rule for empty masks does not exist.
    """

    measures: ClassVar[tuple[str, ...]] = ("dice", "jaccard", "voe", "rvd", "assd", "msd")
    case_measures: ClassVar[tuple[str, ...]] = ("tumour_burden_error",)

    def __post_init__(self) -> None:
        """Refuse a rule that this challenge does not have."""
        self.check_empty("one")

    def score(self, predicted: Bits, target: Bits, region: Region, spacing: Spacing) -> Row:
        voxels = Voxels.of(predicted, target)
        jaccard = 1.0 if voxels.empty == "both" else voxels.jaccard
        return {
            "empty": voxels.empty,
            "dice": 1.0 if voxels.empty == "both" else voxels.dice,
            "jaccard": jaccard,
            "voe": 1 - jaccard,
            "rvd": voxels.predicted / voxels.target - 1 if voxels.target else None,
            **({"assd": None, "msd": None} if voxels.empty else _distances(predicted, target, spacing)),
            **voxels._asdict(),
        }

    def score_case(self, pair: Pair) -> Row:
        lesions = Region("lesions", (2,)).masks(pair)
        detection = detect(*crop(*lesions)) if any(map(np.any, lesions)) else Detection(0, 0, 0)
        burdens = _burden(pair.predicted), _burden(pair.target)
        there = burdens[0] is not None and burdens[1] is not None
        return {
            "tumour_burden_error": burdens[0] - burdens[1] if there else None,  # type: ignore[operator]
            **{f"lesions_{key}": count for key, count in detection._asdict().items()},
        }

    def pool(self, rows: list[Row]) -> Row:
        found, made_up, missed = (sum(row[f"lesions_{key}"] for row in rows) for key in Detection._fields)
        errors = [e for row in rows if (e := row["tumour_burden_error"]) is not None]
        return {
            **{f"{region.name}_dice_global": _dice_global(rows, region) for region in self.regions},
            "lesion_precision": found / (found + made_up) if found + made_up else None,
            "lesion_recall": found / (found + missed) if found + missed else None,
            "tumour_burden_rmse": math.sqrt(math.fsum(e * e for e in errors) / len(errors))
            if errors
            else None,
            "tumour_burden_max_error": max(map(abs, errors)) if errors else None,
        }


def _distances(predicted: Bits, target: Bits, spacing: Spacing) -> dict[str, Any]:
    one, other = (edge_voxels(mask, neighbours=18) for mask in crop(predicted, target))
    gaps = between(one, other, spacing)
    return {"assd": average(gaps), "msd": largest(gaps)}


def _burden(volume: Labels) -> float | None:
    """Share of the liver that is tumour; `None` without a liver."""
    liver = int(np.count_nonzero(volume))
    return int(np.count_nonzero(volume == 2)) / liver if liver else None


def _dice_global(rows: list[Row], region: Region) -> float | None:
    """Dice of the voxels of all cases together; `None` if there are none."""
    both, *wrong = (sum(row[f"{region.name}_{key}"] for row in rows) for key in Voxels._fields)
    total = 2 * both + sum(wrong)
    return 2 * both / total if total else None


LITS = LiverTumours(
    name="lits",
    version=1,
    empty="one",
    resize="none: cases are scored on all slices in their original grid",
    reference="Bilic et al., The liver tumor segmentation benchmark (LiTS), Medical Image Analysis 84 (2023); "
    "distances of Heimann et al., IEEE TMI 28 (2009), over voxels that are not surrounded by their 18 neighbours",
    notes=(
        "liver is liver and tumour together; tumour measures are per volume, where the organisers' code takes only "
        "detected lesions.",
        "rvd is predicted volume / true volume - 1; the organisers' code has the two the other way round.",
        "The organisers' code scores a missing mask as 0 mm or as 9001; here distances without two masks are left out "
        "of the mean and counted under spread.",
        "A lesion is found above a Jaccard index of 0.5; true lesions under one predicted lesion count as one, and the "
        "other way round.",
    ),
    classes=("background", "liver", "tumour"),
    regions=(Region("liver", (1, 2)), Region("tumour", (2,))),
)
