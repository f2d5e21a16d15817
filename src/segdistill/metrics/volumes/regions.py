"""What of a volume is scored as one thing, and how many of its voxels were found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from segdistill.metrics.volumes.pairs import Labels, Pair
from segdistill.metrics.volumes.surfaces import Bits

#: Which mask of a region has no voxel: `""` neither, `both`, only the `predicted`, only the `target`.
Empty = Literal["", "both", "predicted", "target"]


@dataclass(frozen=True)
class Region:
    """Labels that are scored together.

    Args:
        name: Prefix of its columns.
        labels: Which voxels belong to it.
        tolerance: Distance in millimetres within which its surfaces count as the same, where the protocol asks.
    """

    name: str
    labels: tuple[int, ...]
    tolerance: float = 0.0

    def masks(self, pair: Pair) -> tuple[Bits, Bits]:
        """Predicted and true voxels of the region."""
        return self._mask(pair.predicted), self._mask(pair.target)

    def _mask(self, volume: Labels) -> Bits:
        mask: Bits = volume == self.labels[0]
        for label in self.labels[1:]:
            mask |= volume == label
        return mask


class Voxels(NamedTuple):
    """How many voxels are in both masks, only in the predicted, only in the true one."""

    true_positives: int
    false_positives: int
    false_negatives: int

    @classmethod
    def of(cls, predicted: Bits, target: Bits) -> Voxels:
        """Count two masks of one shape."""
        both, p, t = (int(np.count_nonzero(mask)) for mask in (predicted & target, predicted, target))
        return cls(both, p - both, t - both)

    @property
    def predicted(self) -> int:
        """Voxels of the predicted mask."""
        return self.true_positives + self.false_positives

    @property
    def target(self) -> int:
        """Voxels of the true mask."""
        return self.true_positives + self.false_negatives

    @property
    def empty(self) -> Empty:
        """Which of the masks has no voxel."""
        if not self.target:
            return "target" if self.predicted else "both"
        return "" if self.predicted else "predicted"

    @property
    def dice(self) -> float:
        """Dice of two masks, one of which has a voxel."""
        return 2 * self.true_positives / (self.predicted + self.target)

    @property
    def jaccard(self) -> float:
        """Jaccard of two masks, one of which has a voxel."""
        return self.true_positives / (self.predicted + self.false_negatives)
