"""What every metric can do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, Self, runtime_checkable


@runtime_checkable
class Metric(Protocol):
    """Collects images and gives their score.

    A metric keeps sums and one row per image, so ranks and shards merge: `a.merge(b)` is the same as to have
    scored all images at once, in any order, to the last bit.
    """

    @property
    def name(self) -> str:
        """Name of the protocol, as reports print it."""
        ...

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per image or case, sorted by `id`, which comes first; small, since all of them are kept."""
        ...

    def update(
        self,
        predicted: Iterable[Any],
        target: Iterable[Any],
        ids: Sequence[str],
        *,
        spacing: Sequence[float] | None = None,
    ) -> None:
        """Take in some images.

        Args:
            predicted: What the protocol reads, one per image, arrays or tensors; sizes may differ from image to image.
            target: True masks of the same sizes.
            ids: One stable name per image.
            spacing: Size of a voxel in millimetres along every axis, for volumes.
        """
        ...

    def merge(self, other: Self) -> None:
        """Take in what another process has collected."""
        ...

    def compute(self) -> dict[str, Any]:
        """Give the score; never NaN.

        Returns:
            Means by name; `images`, how many were averaged; `empty_images`, how many have nothing to find;
            `protocol`, `version`, and `notes` where the protocol has any.

        Raises:
            SegDistillError: If there is no image to average over.
        """
        ...
