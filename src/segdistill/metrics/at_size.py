"""Dice and IoU at the size of the network, as some projects score: not comparable with scores at the image's size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics.intake import refuse_again, triples
from segdistill.metrics.maps import check_binary, read_map, read_truth
from segdistill.metrics.protocols import Protocol, Reads
from segdistill.metrics.resample import Size, bilinear, corner_nearest
from segdistill.tasks import Task


@dataclass(frozen=True, kw_only=True)
class DiceAtSize(Protocol):
    """Dice and IoU of one foreground at a fixed size, mean over images.

    `(2 I + smooth) / (A + B + smooth)` and `(I + smooth) / (A + B - I + smooth)` of the pixels in both masks
    (I), in the predicted (A) and in the true one (B).

    Args:
        size: Height and width at which masks are compared, whatever the image's shape.
        threshold: Probability above which a pixel is foreground.
        smooth: Keeps the quotients defined.
        empty: `"one"`: an image with nothing to find counts 1 if nothing was predicted either; else next to
            0, as the formula has it.

    Raises:
        SegDistillError: If the rule for empty masks does not exist, or a value is out of range.
    """

    reads: ClassVar[Reads] = "map"

    size: Size
    threshold: float = 0.5
    smooth: float = 1e-6

    def __post_init__(self) -> None:
        """Refuse values that no metric knows."""
        self.check_empty("one")
        if min(self.size) < 1 or self.smooth <= 0 or not 0 < self.threshold < 1:
            raise SegDistillError(
                f"{self.name!r} needs a positive size and smooth and a threshold between 0 and 1, "
                f"got {self.size}, {self.smooth} and {self.threshold}."
            )

    def size_for(self, size: tuple[int, ...]) -> tuple[int, ...]:
        return self.size

    def metric(self, task: Task | None = None) -> SmoothOverlap:
        check_binary(task, self.name)
        return SmoothOverlap(self)


class SmoothOverlap:
    """Dice and IoU per image at one size.

    Args:
        protocol: Size, threshold and smoothing.
    """

    def __init__(self, protocol: DiceAtSize) -> None:
        self.protocol = protocol
        self._rows: dict[str, dict[str, Any]] = {}
        self._empty = self._resized = 0

    @property
    def name(self) -> str:
        """Name of the protocol."""
        return self.protocol.name

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One `{"id", "dice", "iou"}` per image, sorted by id."""
        return [self._rows[name] for name in sorted(self._rows)]

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
            predicted: Foreground maps `(H, W)`, uint8 or floats in [0, 1]; those at another size are resized
                bilinearly, without smoothing first.
            target: True masks `(H, W)` of any size; the pixel under each new pixel's corner is taken.
            ids: One stable name per image.
            spacing: Does not matter to counts.

        Raises:
            SegDistillError: If numbers differ, a map or mask is not one, or an image comes twice.
        """
        for p, t, name in triples(predicted, target, ids):
            refuse_again(name, self._rows)
            self._add(read_map(p, name=name), read_truth(t, name=name), name)

    def merge(self, other: SmoothOverlap) -> None:
        """Take in what another process has collected.

        Raises:
            SegDistillError: If the other scores by another protocol, or an image comes twice.
        """
        if other.protocol != self.protocol:
            raise SegDistillError(f"Scores by {other.name!r} do not merge into {self.name!r}.")
        for name in other._rows:
            refuse_again(name, self._rows)
        self._rows |= other._rows
        self._empty, self._resized = self._empty + other._empty, self._resized + other._resized

    def compute(self) -> dict[str, Any]:
        """Average over images.

        Returns:
            `dice` and `iou`; `images`; `empty_images`, how many have nothing to find; `resized_predictions`,
            how many maps came at another size; `protocol`, `version`, `notes`.

        Raises:
            SegDistillError: If there is no image to average over.
        """
        rows = self.rows
        if not rows:
            raise SegDistillError("There are no images to score. Name a data set that has some.")
        return {
            **{measure: fmean(row[measure] for row in rows) for measure in ("dice", "iou")},
            "images": len(rows),
            "empty_images": self._empty,
            "resized_predictions": self._resized,
            "protocol": self.protocol.name,
            "version": self.protocol.version,
            "notes": list(self.protocol.notes),
        }

    def _add(self, map_: NDArray[Any], truth: NDArray[np.bool_], name: str) -> None:
        found, wanted = self._found(map_), corner_nearest(truth, self.protocol.size)
        both, predicted, true = (int(np.count_nonzero(mask)) for mask in (found & wanted, found, wanted))
        smooth = self.protocol.smooth
        self._rows[name] = {
            "id": name,
            "dice": (2 * both + smooth) / (predicted + true + smooth),
            "iou": (both + smooth) / (predicted + true - both + smooth),
        }
        self._empty += not true
        self._resized += map_.shape != self.protocol.size

    def _found(self, map_: NDArray[Any]) -> NDArray[np.bool_]:
        values = map_ / np.float32(255) if map_.dtype == np.uint8 else map_
        resized = values if values.shape == self.protocol.size else bilinear(values, self.protocol.size)
        return np.asarray(resized > self.protocol.threshold)


DICE_AT_320 = DiceAtSize(
    name="dice@320",
    version=2,
    size=(320, 320),
    empty="one",
    resize="true mask: nearest by pixel corners to 320x320; map: taken as it is at that size, else resized bilinearly",
    reference="evaluation of the MobileNetV2 polyp project (EifelLN, mobilenet_polyp_segmentation)",
    notes=(
        "Scores at 320x320 do not compare with scores at the image's own size: small and thin parts weigh "
        "differently, and the ratio of the sides is lost.",
        "The original compares the network's own output at 320x320; `resized_predictions` counts maps that came "
        "at another size and were resized.",
    ),
)
