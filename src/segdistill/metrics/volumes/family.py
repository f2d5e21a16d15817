"""What all protocols of volumes have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from segdistill.core import SegDistillError
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.metrics.volumes.cases import Cases, Row
from segdistill.metrics.volumes.pairs import Pair, read_pair, read_spacing
from segdistill.metrics.volumes.regions import Region
from segdistill.metrics.volumes.surfaces import Bits, Spacing
from segdistill.tasks import Multilabel, Task


@dataclass(frozen=True, kw_only=True)
class Volumes(Protocol):
    """A protocol that scores cases, region by region.

    Args:
        classes: Names of the labels by their index; empty if the protocol does not fix them.
        regions: What is scored; empty for each label by itself.
    """

    reads: ClassVar[Reads] = "volume"
    in_millimetres: ClassVar[bool] = True  # does it need the size of a voxel?
    measures: ClassVar[tuple[str, ...]]  # columns of a region that are averaged over cases
    headline: ClassVar[tuple[str, ...]] = ("dice",)  # those of them that are averaged over regions, too
    case_measures: ClassVar[tuple[str, ...]] = ()  # columns of a case as a whole that are averaged

    classes: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()

    def metric(self, task: Task | None = None) -> Cases:
        if isinstance(task, Multilabel):
            raise SegDistillError(
                f"{self.name!r} scores one label per voxel; a multi-label task has several."
            )
        if not task or not self.classes:
            return Cases(self, classes=task.classes if task else self.classes, regions=self._regions_of(task))
        if not _means_the_same(task.classes, self.classes):
            raise SegDistillError(
                f"{self.name!r} scores the labels {', '.join(self.classes)} in this order; the task has "
                f"{', '.join(task.classes)}: use 'case-3d' for other labels."
            )
        return Cases(self, classes=self.classes, regions=self.regions)

    def _regions_of(self, task: Task | None) -> tuple[Region, ...]:
        if self.regions or not task:
            return self.regions
        return tuple(Region(name, (label,)) for label, name in enumerate(task.classes) if label)

    def read_spacing(self, spacing: Sequence[float] | None) -> Spacing:
        """Check the size of a voxel, where it matters."""
        return read_spacing(spacing if spacing or self.in_millimetres else (1, 1, 1), protocol=self.name)

    def read(self, predicted: Any, target: Any, *, name: str, classes: Sequence[str]) -> Pair:
        """Check and crop the two volumes of a case."""
        return read_pair(predicted, target, name=name, protocol=self.name, classes=classes)

    @abstractmethod
    def score(self, predicted: Bits, target: Bits, region: Region, spacing: Spacing) -> Row:
        """Score one region of one case: `empty` and the measures; `None` where a measure has no value."""

    def nothing(self) -> Row:
        """Score a region of which a case has no voxel."""
        none = np.zeros((1, 1, 1), dtype=np.bool_)
        return self.score(none, none, Region("nothing", ()), (1.0, 1.0, 1.0))

    def score_case(self, pair: Pair) -> Row:
        """Score what concerns several regions at once."""
        return {}

    def pool(self, rows: list[Row]) -> Row:
        """Say what only all cases together can say."""
        return {}


def _means_the_same(names: Sequence[str], classes: Sequence[str]) -> bool:
    """Whether labels are those of a challenge: by name, or only counted; what the background is called is free."""
    if len(names) != len(classes):
        return False
    return all(name.isdecimal() for name in names) or all(
        name.casefold() == known for name, known in zip(names[1:], classes[1:], strict=True)
    )
