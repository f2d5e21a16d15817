"""Whether probabilities mean what they say, over all pixels of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from segdistill.core import SegDistillError
from segdistill.metrics.calibration.bins import Bins, from_whole, to_whole
from segdistill.metrics.calibration.pixels import Pixels, has_classes, read_pixels
from segdistill.metrics.intake import refuse_again, to_array, triples
from segdistill.tasks import Task

if TYPE_CHECKING:
    from segdistill.metrics.calibration.protocol import Reliability


class Calibration:
    """Probabilities against what is true, pixel by pixel.

    Two forms, both with bins of equal width. `foreground`: the probability that a pixel is not background,
    against whether it is. `top_label`: the probability of the class that was chosen, against whether it is
    right. Each channel of a multi-label task counts as a foreground of its own.

    Args:
        task: What the probabilities are of; one foreground if not given.
        protocol: How many bins there are; its name goes into the result. `calibration` if not given.

    Examples:
        >>> calibration = Calibration()
        >>> calibration.update([np.array([[0.8, 0.8, 0.1, 0.3]])], [np.array([[1, 0, 0, 0]])], ["a"])
        >>> result = calibration.compute()
        >>> round(result["ece"], 3), round(result["brier"], 3)
        (0.25, 0.195)
    """

    def __init__(self, task: Task | None = None, *, protocol: Reliability | None = None) -> None:
        from segdistill.metrics.calibration.protocol import CALIBRATION  # which makes metrics of this kind

        self.task, self.protocol = task, protocol or CALIBRATION
        self._foreground, self._top_label = Bins(self.protocol.bins), Bins(self.protocol.bins)
        self._squares = 0
        self._rows: dict[str, dict[str, Any]] = {}
        self._ignored: set[str] = set()
        self._empty = 0

    @property
    def name(self) -> str:
        """Name of the protocol."""
        return self.protocol.name

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per image, sorted by id; images that are ignored altogether are left out.

        `id`, `brier`; `predicted` and `true`, the mean foreground probability and the share of foreground.
        """
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
            predicted: What the task's `probabilities` gives for one image, `(C, *spatial)`; or foreground maps
                `(H, W)`, uint8 or floats in [0, 1].
            target: True masks `(*spatial)` of class indices, `(C, *spatial)` for multi-label tasks; with maps
                0 and 1 or grey levels, of which none is ignored.
            ids: One stable name per image.
            spacing: Does not matter to probabilities.

        Raises:
            SegDistillError: If numbers or shapes differ, a value is no probability, or an image comes twice.
        """
        for p, t, name in triples(predicted, target, ids):
            refuse_again(name, self._rows, self._ignored)
            self._add(read_pixels(to_array(p), to_array(t), self.task, name=name), name)

    def merge(self, other: Calibration) -> None:
        """Take in what another process has collected.

        Raises:
            SegDistillError: If the other scores another task or protocol, or an image comes twice.
        """
        if (other.task, other.protocol) != (self.task, self.protocol):
            raise SegDistillError(
                f"Scores of {other.task} by {other.name} do not merge into {self.task} by {self.name}."
            )
        for name in (*other._rows, *other._ignored):
            refuse_again(name, self._rows, self._ignored)
        self._foreground.merge(other._foreground)
        self._top_label.merge(other._top_label)
        self._squares, self._empty = self._squares + other._squares, self._empty + other._empty
        self._rows |= other._rows
        self._ignored |= other._ignored

    def compute(self) -> dict[str, Any]:
        """Give the scores of the data set.

        Returns:
            `ece`, expected calibration error of the foreground form, and `mce`, that of the worst bin;
            `ece_top_label` and `mce_top_label`; `brier`, and `brier_form`: `"binary"` is the mean of
            (p - y)², `"multi-class"` the sum of that over classes, twice as large with two; `overconfidence`,
            mean confidence minus accuracy of the chosen label; `bins`; `curves` by form, see `Bins.curve`;
            `pixels`, `images`, `empty_images`, `ignored_images`, `protocol`, `version`, `notes`.

        Raises:
            SegDistillError: If there is no pixel to score.
        """
        if not self._rows:
            raise SegDistillError("There are no pixels to score. Name a data set that has some.")
        foreground, top_label = self._foreground, self._top_label
        return {
            "ece": foreground.expected_error,
            "mce": foreground.largest_error,
            "ece_top_label": top_label.expected_error,
            "mce_top_label": top_label.largest_error,
            "brier": from_whole(self._squares) / sum(foreground.pixels),
            "brier_form": "multi-class" if has_classes(self.task) else "binary",
            "overconfidence": top_label.confidence - top_label.frequency,
            "bins": self.protocol.bins,
            "curves": {"foreground": foreground.curve, "top_label": top_label.curve},
            "pixels": sum(foreground.pixels),
            "images": len(self._rows),
            "empty_images": self._empty,
            "ignored_images": len(self._ignored),
            "protocol": self.protocol.name,
            "version": self.protocol.version,
            "notes": list(self.protocol.notes),
        }

    def _add(self, pixels: Pixels, name: str) -> None:
        count = len(pixels.foreground)
        if not count:
            self._ignored.add(name)
            return
        self._foreground.add(pixels.foreground, pixels.is_foreground)
        self._top_label.add(pixels.confidence, pixels.is_right)
        self._squares += to_whole(pixels.squares)
        true = int(np.count_nonzero(pixels.is_foreground))
        self._empty += not true
        self._rows[name] = {
            "id": name,
            "brier": pixels.squares / count,
            "predicted": float(pixels.foreground.mean(dtype=np.float64)),
            "true": true / count,
        }
