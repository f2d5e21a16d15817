"""The protocols of the kidney tumour challenges KiTS19 and KiTS23."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from segdistill.metrics.volumes.cases import Row
from segdistill.metrics.volumes.distances import between, surface_dice
from segdistill.metrics.volumes.family import Volumes
from segdistill.metrics.volumes.pairs import crop
from segdistill.metrics.volumes.regions import Region, Voxels
from segdistill.metrics.volumes.surfaces import Bits, Spacing, surface_elements


@dataclass(frozen=True, kw_only=True)
class DiceOfRegions(Volumes):
    """Dice per region.

    Args:
        empty: `"kits"`: a region that neither volume has counts 1, one that only one of them has 0.

    Raises:
        SegDistillError: If the rule for empty masks does not exist.
    """

    in_millimetres: ClassVar[bool] = False
    measures: ClassVar[tuple[str, ...]] = ("dice",)

    def __post_init__(self) -> None:
        """Refuse a rule that these challenges do not have."""
        self.check_empty("kits")

    def score(self, predicted: Bits, target: Bits, region: Region, spacing: Spacing) -> Row:
        voxels = Voxels.of(predicted, target)
        return {
            "empty": voxels.empty,
            "dice": 1.0 if voxels.empty == "both" else voxels.dice,
            **voxels._asdict(),
        }


@dataclass(frozen=True, kw_only=True)
class SurfaceDiceOfRegions(DiceOfRegions):
    """Dice, and surface Dice at the tolerance of the region."""

    in_millimetres: ClassVar[bool] = True
    measures: ClassVar[tuple[str, ...]] = ("dice", "surface_dice")
    headline: ClassVar[tuple[str, ...]] = ("dice", "surface_dice")

    def score(self, predicted: Bits, target: Bits, region: Region, spacing: Spacing) -> Row:
        row = super().score(predicted, target, region, spacing)
        if row["empty"]:
            return row | {"surface_dice": row["dice"]}
        one, other = (surface_elements(mask, spacing) for mask in crop(predicted, target))
        gaps = between(one, other, spacing, within=region.tolerance)
        return row | {"surface_dice": surface_dice(gaps, region.tolerance)}


KITS19 = DiceOfRegions(
    name="kits19",
    version=1,
    empty="kits",
    resize="none: cases are scored on all slices in their original grid",
    reference="Heller et al., The state of the art in kidney and kidney tumor segmentation in contrast-enhanced CT "
    "imaging: results of the KiTS19 challenge, Medical Image Analysis 67 (2021)",
    notes=(
        "kidney_dice is of kidney and tumour together; dice, the challenge's composite, is the mean of the two.",
        "The challenge's script gives NaN for a region that neither volume has; here it counts 1.",
    ),
    classes=("background", "kidney", "tumour"),
    regions=(Region("kidney", (1, 2)), Region("tumour", (2,))),
)

KITS23 = SurfaceDiceOfRegions(
    name="kits23",
    version=1,
    empty="kits",
    resize="none: cases are scored on all slices in their original grid",
    reference="Heller et al., The KiTS21 challenge: automatic segmentation of kidneys, renal tumors, and renal cysts "
    "in corticomedullary-phase CT (2023); hierarchical classes and tolerances of KiTS21 and KiTS23",
    notes=(
        "The classes are hierarchical: kidney with masses (labels 1, 2, 3), masses (2, 3), tumour (2).",
        "Surface Dice weighs surface elements by their area, with the tolerances 1.033, 1.133 and 1.150 mm.",
    ),
    classes=("background", "kidney", "tumour", "cyst"),
    regions=(
        Region("kidney", (1, 2, 3), tolerance=1.0330772532390826),
        Region("mass", (2, 3), tolerance=1.1328796488598762),
        Region("tumour", (2,), tolerance=1.1498198361434828),
    ),
)
