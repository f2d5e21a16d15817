"""Score cases: one row each, and what they say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from segdistill.core import SegDistillError
from segdistill.metrics.intake import refuse_again, triples
from segdistill.metrics.means import mean
from segdistill.metrics.volumes.regions import Region
from segdistill.metrics.volumes.summary import spread

if TYPE_CHECKING:
    from segdistill.metrics.volumes.family import Volumes

Row = dict[str, Any]

_NOT_TRUE = ("both", "target")  # what `empty` says of a region without a voxel in the true volume


class Cases:
    """Volumes by a protocol, each scored on all its slices, averaged over cases.

    Args:
        protocol: Says what is measured in a region, and what an empty one counts.
        classes: Names of the labels; empty if any label is taken as it comes.
        regions: What is scored; empty for every label that the true volume of some case has.

    Examples:
        >>> import numpy as np
        >>> from segdistill.metrics.volumes import KITS19
        >>> cases = KITS19.metric()
        >>> true = np.array([[[0, 1, 2, 2]]])
        >>> cases.update([np.array([[[0, 1, 1, 2]]])], [true], ["case_00000"])
        >>> round(cases.compute()["tumour_dice"], 3)
        0.667
    """

    def __init__(self, protocol: Volumes, *, classes: tuple[str, ...], regions: tuple[Region, ...]) -> None:
        self.protocol = protocol
        self.classes = classes
        self._regions = regions
        self._cases: dict[str, dict[Region | None, Row]] = {}  # None: what is said of the case as a whole

    @property
    def name(self) -> str:
        """Name of the protocol."""
        return self.protocol.name

    @property
    def regions(self) -> tuple[Region, ...]:
        """What is scored; those that are in some true volume, where the protocol does not fix them."""
        found = {
            region for case in self._cases.values() for region in case if region and _is_true(case[region])
        }
        return self._regions or _sorted(found)

    @property
    def rows(self) -> list[Row]:
        """One row per case, sorted by id: `{region}_{measure}` for every region; `None` where it has no value."""
        regions, nothing = self.regions, self.protocol.nothing()
        return [
            {"id": name}
            | {f"{r.name}_{key}": value for r in regions for key, value in case.get(r, nothing).items()}
            | case[None]
            for name, case in sorted(self._cases.items())
        ]

    def update(
        self,
        predicted: Iterable[Any],
        target: Iterable[Any],
        ids: Sequence[str],
        *,
        spacing: Sequence[float] | None = None,
    ) -> None:
        """Take in some cases.

        Args:
            predicted: Volumes `(D, H, W)` of class indices, in the original grid of the case.
            target: True volumes of the same shapes.
            ids: One stable name per case.
            spacing: Size of a voxel (z, y, x) in millimetres, the same for all of this call.

        Raises:
            SegDistillError: If numbers, shapes or labels are wrong, the spacing is missing, or a case comes twice.
        """
        sizes = self.protocol.read_spacing(spacing)
        for p, t, name in triples(predicted, target, ids, one="case"):
            refuse_again(name, self._cases, one="case")
            pair = self.protocol.read(p, t, name=name, classes=self.classes)
            regions = self._regions or tuple(Region(f"label_{k}", (k,)) for k in pair.found)
            self._cases[name] = {None: self.protocol.score_case(pair)}
            for region in regions:
                self._cases[name][region] = self.protocol.score(*region.masks(pair), region, sizes)

    def merge(self, other: Cases) -> None:
        """Take in what another process has collected.

        Raises:
            SegDistillError: If the other scores by another protocol or other classes, or a case comes twice.
        """
        if (other.protocol, other.classes) != (self.protocol, self.classes):
            raise SegDistillError(
                f"Scores of {other.classes} by {other.name} do not merge into {self.classes} by {self.name}."
            )
        for name in other._cases:
            refuse_again(name, self._cases, one="case")
        self._cases |= other._cases

    def compute(self) -> Row:
        """Average over cases.

        Returns:
            `cases`; for every headline measure its mean over regions and, as `{region}_{measure}`, its mean over
            the cases that have a value, `None` if none has; what the protocol says of all cases together; `spread`,
            by column `sd`, `median`, `cases` (that have a value) and `left_out`; `affected`, by region how many
            cases have an empty mask: `both`, only the `predicted` one, only the `target`; `empty_cases`, how many
            have some region that is empty in the true volume; `protocol`, `version` and `notes`.

        Raises:
            SegDistillError: If there is no case to average over.
        """
        rows = self.rows
        if not rows:
            raise SegDistillError("There are no cases to score. Name a data set that has some.")
        columns = [f"{r.name}_{measure}" for r in self.regions for measure in self.protocol.measures]
        values = {key: [row[key] for row in rows] for key in (*columns, *self.protocol.case_measures)}
        means = {key: mean(column) for key, column in values.items()}
        return {
            **self._headline(means),
            "cases": len(rows),
            "empty_cases": sum(self._is_empty(row) for row in rows),
            **means,
            **self.protocol.pool(rows),
            "spread": {key: spread(column) for key, column in values.items()},
            "affected": {r.name: self._affected(rows, r) for r in self.regions},
            "protocol": self.protocol.name,
            "version": self.protocol.version,
            "notes": [*self.protocol.notes, *self._made_up()],
        }

    def _headline(self, means: Row) -> Row:
        """Mean over regions of the measures that stand for the protocol."""
        return {
            measure: mean([means[f"{region.name}_{measure}"] for region in self.regions])
            for measure in self.protocol.headline
        }

    def _is_empty(self, row: Row) -> bool:
        """Whether some region is empty in the true volume; without any region, all of it is."""
        empty = [row[f"{region.name}_empty"] in _NOT_TRUE for region in self.regions]
        return any(empty) or not empty

    def _made_up(self) -> list[str]:
        """Name labels that no true volume has: if such were regions, cases without them would count as found."""
        scored, cases = set(self.regions), self._cases.values()
        counts = Counter(region for case in cases for region in case if region and region not in scored)
        if not counts:
            return []
        named = (f"{region.name} (in {counts[region]})" for region in _sorted(counts))
        return [
            f"Labels that were predicted in some cases and are in no true volume, not scored: {', '.join(named)}."
        ]

    def _affected(self, rows: list[Row], region: Region) -> dict[str, int]:
        column = [row[f"{region.name}_empty"] for row in rows]
        return {which: column.count(which) for which in ("both", "predicted", "target")}


def _is_true(row: Row) -> bool:
    return row["empty"] not in _NOT_TRUE


def _sorted(regions: Iterable[Region]) -> tuple[Region, ...]:
    return tuple(sorted(regions, key=lambda region: region.labels))
