"""Dice and IoU of hard masks."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np

from segdistill.core import SegDistillError
from segdistill.metrics.counts import Counts, count_pixels
from segdistill.metrics.intake import refuse_again, triples
from segdistill.metrics.protocols import Protocol
from segdistill.tasks import Binary, Multilabel, Task


class Score(NamedTuple):
    """How well one mask fits: each in [0, 1]."""

    dice: float
    iou: float
    precision: float
    recall: float


class Overlap:
    """Dice, IoU, precision and recall per image, averaged over images.

    Binary tasks score the foreground. Tasks of several classes score an image by the mean over its
    foreground classes, those present in the true or the predicted mask (a class that was made up counts 0);
    an image with none follows the protocol's rule for empty masks. With the rule `"skip"` only classes in
    the true mask count. Precision is 0 where nothing was predicted although something is there, recall is 0
    where something was predicted although nothing is there. Images whose every pixel is ignored are left
    out. Beside this, `miou` is the mean over classes, background included, of the IoU over all pixels of the
    data set.

    Args:
        task: Says what the labels mean and which are ignored; `Binary()` if not given.
        protocol: Says what an empty mask counts; its name goes into every result. `dice@0.5` if not given.

    Examples:
        >>> overlap = Overlap()
        >>> overlap.update([np.array([[1, 1, 0]])], [np.array([[1, 0, 0]])], ["a"])
        >>> round(overlap.compute()["dice"], 3)
        0.667
    """

    def __init__(self, task: Task | None = None, *, protocol: Protocol | None = None) -> None:
        from segdistill.metrics.dice import DICE_AT_HALF  # which makes metrics of this kind

        self.task = task or Binary()
        self.protocol = protocol or DICE_AT_HALF
        self._counts: dict[str, Counts] = {}
        self._pixels: dict[str, int] = {}
        self._ignored: set[str] = set()
        self._confusion: Counts | None = None

    @property
    def name(self) -> str:
        """Name of the protocol."""
        return self.protocol.name

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per image, sorted by id; skipped images are left out.

        `id`, `dice`, `iou`, `precision`, `recall`, and `share`: how much of what was counted is foreground in
        the true mask (mean over the channels of a multi-label task).
        """
        scored = ((name, self._image(self._counts[name])) for name in sorted(self._counts))
        return [
            {"id": name, **score._asdict(), "share": self._share(name)} for name, score in scored if score
        ]

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
            predicted: Hard masks, one per image, arrays or tensors `(*spatial)` of class indices or bools,
                `(C, *spatial)` for multi-label tasks; sizes may differ from image to image.
            target: True masks of the same shapes.
            ids: One stable name per image.
            spacing: Does not matter to counts.

        Raises:
            SegDistillError: If numbers or shapes differ, a label is unknown, or an image comes twice.
        """
        for p, t, name in triples(predicted, target, ids):
            pixels = count_pixels(p, t, self.task, name=name)
            refuse_again(name, self._counts, self._ignored)
            if pixels.confusion.any():
                self._counts[name] = pixels.classes
                self._pixels[name] = int(pixels.confusion.sum())
            else:
                self._ignored.add(name)
            self._confusion = _sum(self._confusion, pixels.confusion)

    def merge(self, other: Overlap) -> None:
        """Take in what another process has collected.

        Raises:
            SegDistillError: If the other scores another task or protocol, or an image comes twice.
        """
        if (other.task, other.protocol) != (self.task, self.protocol):
            raise SegDistillError(
                f"Scores of {other.task} by {other.name} do not merge into {self.task} by {self.name}."
            )
        for name in (*other._counts, *other._ignored):
            refuse_again(name, self._counts, self._ignored)
        self._counts |= other._counts
        self._pixels |= other._pixels
        self._ignored |= other._ignored
        self._confusion = _sum(self._confusion, other._confusion)

    def compute(self) -> dict[str, Any]:
        """Average over images.

        Returns:
            `dice`, `iou`, `precision` and `recall` in [0, 1], means over images; `images`, how many were
            averaged; `empty_images`, how many have nothing to find; `miou`; `classes`, per foreground class its
            `dice`, `iou` and `images` (`None` where no image has it); `protocol` and its `version`.

        Raises:
            SegDistillError: If there is no image to average over.
        """
        rows = self.rows
        if not rows:
            raise self._nothing()
        return {
            **{measure: fmean(row[measure] for row in rows) for measure in Score._fields},
            "images": len(rows),
            "empty_images": sum(not counts[:, 2].any() for counts in self._counts.values()),
            "miou": self._mean_iou(),
            "classes": {name: self._class(index) for index, name in enumerate(self._foreground())},
            "protocol": self.protocol.name,
            "version": self.protocol.version,
        }

    def to_csv(self) -> str:
        """Print the rows as CSV: `id,dice,iou`."""
        text = io.StringIO()
        columns = ["id", "dice", "iou"]
        writer = csv.DictWriter(text, fieldnames=columns, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        return text.getvalue()

    def _image(self, counts: Counts) -> Score | None:
        """Score one image by the mean over its classes; `None` leaves it out."""
        scores = [score for row in counts if (score := self._overlap(row))]
        if scores:
            return Score(*(fmean(values) for values in zip(*scores, strict=True)))
        return {"one": Score(*[1.0] * 4), "zero": Score(*[0.0] * 4), "skip": None}[self.protocol.empty]

    def _overlap(self, counts: Counts) -> Score | None:
        """Score one class of one image; `None` where it is absent."""
        both, predicted, true = (int(n) for n in counts)
        if predicted + true == 0 or (self.protocol.empty == "skip" and true == 0):
            return None
        return Score(
            2 * both / (predicted + true),
            both / (predicted + true - both),
            both / predicted if predicted else 0.0,
            both / true if true else 0.0,
        )

    def _share(self, name: str) -> float:
        return int(self._counts[name][:, 2].sum()) / self._pixels[name]

    def _class(self, index: int) -> dict[str, Any]:
        scores = [score for counts in self._counts.values() if (score := self._overlap(counts[index]))]
        if not scores:
            return {"dice": None, "iou": None, "images": 0}
        return {
            "dice": fmean(s.dice for s in scores),
            "iou": fmean(s.iou for s in scores),
            "images": len(scores),
        }

    def _foreground(self) -> tuple[str, ...]:
        return self.task.classes if isinstance(self.task, Multilabel) else self.task.classes[1:]

    def _mean_iou(self) -> float | None:
        """Mean IoU of the classes that occur, from the confusion of all pixels; `None` without pixels."""
        confusion = self._confusion
        if confusion is None:
            return None
        if isinstance(self.task, Multilabel):
            both, predicted, true = confusion[:, 1, 1], confusion[:, :, 1].sum(1), confusion[:, 1].sum(1)
        else:
            both, predicted, true = confusion.diagonal(), confusion.sum(0), confusion.sum(1)
        union = predicted + true - both
        return fmean(float(b / u) for b, u in zip(both, union, strict=True) if u) if union.any() else None

    def _nothing(self) -> SegDistillError:
        if self._counts:
            return SegDistillError(
                f"All {len(self._counts)} images have nothing to find, and {self.name!r} skips such images."
            )
        if self._ignored:
            return SegDistillError(
                f"Every pixel of all {len(self._ignored)} images is ignored: the masks hold no other label."
            )
        return SegDistillError("There are no images to score. Name a data set that has some.")


def _sum(a: Counts | None, b: Counts | None) -> Counts | None:
    return b if a is None else a if b is None else np.add(a, b)
