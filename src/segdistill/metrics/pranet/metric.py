"""Scores of a whole data set, image by image."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from segdistill.core import SegDistillError
from segdistill.metrics.intake import refuse_again, triples
from segdistill.metrics.pranet.averages import Averages, Scored
from segdistill.metrics.pranet.curves import NAMES, Curve, curves
from segdistill.metrics.pranet.pixels import read_pair
from segdistill.metrics.pranet.rules import Counts
from segdistill.metrics.pranet.structure import structure_measure
from segdistill.metrics.pranet.summary import mean_absolute_error, summarise
from segdistill.metrics.pranet.thresholds import lowest_levels
from segdistill.metrics.pranet.weighted import weighted_f

if TYPE_CHECKING:
    from segdistill.metrics.pranet.protocol import PraNet


class Image(NamedTuple):
    """What is kept of an image: with these everything else can be computed again.

    Attributes:
        counts: `(2, 256)` uint32 pixels of every level in background and foreground, compressed: 30 bytes for a binary
            map, well under a kilobyte for a grey one.
        structure: S-measure, NaN if undefined.
        weighted: Weighted F-measure, NaN if undefined.
        empty: Whether there is nothing to find.
    """

    counts: bytes
    structure: float
    weighted: float
    empty: bool

    def read(self) -> Counts:
        """Give the counts back."""
        return np.frombuffer(zlib.decompress(self.counts), np.uint32).reshape(2, 256).astype(np.int64)


def pack(counts: Counts) -> bytes:
    """Compress counts, with a small window: to set up a large one takes longer than all the rest."""
    packer = zlib.compressobj(level=1, wbits=11, memLevel=4)
    return packer.compress(counts.astype(np.uint32).tobytes()) + packer.flush()


class PolypScores:
    """Mean and maximal Dice, IoU, E-measure, sensitivity and specificity, S-measure, weighted F-measure and MAE.

    Curves are averaged over images first, in the order of their ids, then over the 256 thresholds. Images are kept as
    counts of grey levels and added up by `compute`: so the result is the published evaluator's to the bit, and the
    same in whatever order, and from however many processes, the images came.

    Args:
        protocol: Whose evaluator, and what an empty mask counts.

    Examples:
        >>> from segdistill.metrics.pranet import PRANET_PY
        >>> scores = PRANET_PY.metric()
        >>> scores.update([np.array([[0, 200, 90]], np.uint8)], [np.array([[0, 255, 0]], np.uint8)], ["a"])
        >>> round(scores.compute()["maxDic"], 3)
        1.0
    """

    def __init__(self, protocol: PraNet) -> None:
        self.protocol = protocol
        self._images: dict[str, Image] = {}

    @property
    def name(self) -> str:
        """Name of the protocol."""
        return self.protocol.name

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One `{"id", "meanDic", ...}` per image, sorted by id; `None` where a score is undefined."""
        return [{"id": each.id, **summarise(each.curves, each.singles)} for each in self._scored()]

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
            predicted: Foreground maps `(H, W)`, one per image, arrays or tensors: uint8 levels, or floats in [0, 1]
                (rounded to levels, half to even, as image writers do it).
            target: True masks of the same sizes: uint8 grey levels, or class indices 0 and 1.
            ids: One stable name per image.
            spacing: Does not matter to maps.

        Raises:
            SegDistillError: If numbers or sizes differ, pixels are neither, or an image comes twice.
        """
        for p, t, name in triples(predicted, target, ids):
            refuse_again(name, self._images)
            self._images[name] = self._measure(p, t, name)

    def merge(self, other: PolypScores) -> None:
        """Take in what another process has collected.

        Raises:
            SegDistillError: If the other scores by another protocol, or an image comes twice.
        """
        if other.protocol != self.protocol:
            raise SegDistillError(f"Scores by {other.name!r} do not merge into scores by {self.name!r}.")
        for name in other._images:
            refuse_again(name, self._images)
        self._images |= other._images

    def compute(self) -> dict[str, Any]:
        """Average over images.

        Returns:
            `meanDic`, `meanIoU`, `wFm`, `Sm`, `meanEm`, `maxEm`, `mae`, `maxDic`, `maxIoU`, `meanSen`, `maxSen`,
            `meanSpe`, `maxSpe`, `None` where no image has one; `images`, how many were averaged; `empty_images`, how
            many have nothing to find; `protocol`, `version` and `notes`.

        Raises:
            SegDistillError: If there is no image to average over.
        """
        means = self._average()
        return {
            **summarise(means.curves, means.singles),
            "images": means.images,
            "empty_images": self._empty_images(),
            "protocol": self.protocol.name,
            "version": self.protocol.version,
            "notes": [*self.protocol.notes, *means.notes],
        }

    def curves(self) -> dict[str, Curve]:
        """Give the curves of the data set, for plots.

        Returns:
            `(256,)` means over images from threshold 1 down to 0, by name; NaN where no image has one.

        Raises:
            SegDistillError: If there is no image to average over.
        """
        return dict(zip(NAMES, self._average().curves, strict=True))

    def _measure(self, predicted: Any, target: Any, name: str) -> Image:
        rules = self.protocol.rules
        pair = read_pair(predicted, target, rules, name=name)
        corner = pair.centre(rules)
        quarters = pair.count(*corner)
        counts = quarters.sum(axis=(0, 1))
        scale = rules.scale(counts.sum(axis=0))
        return Image(
            pack(counts),
            structure_measure(quarters, pair.mask.shape, corner, rules, scale),
            weighted_f(pair, counts, rules, scale),
            empty=pair.box is None,
        )

    def _scored(self) -> Iterator[Scored]:
        """Score all images that count, by id."""
        for name in sorted(self._images):
            image = self._images[name]
            if image.empty and self.protocol.empty == "skip":
                continue
            counts = image.read()
            scale = self.protocol.rules.scale(counts.sum(axis=0))
            error = mean_absolute_error(counts, scale)
            singles = {"wFm": image.weighted, "Sm": image.structure, "mae": error}
            yield Scored(
                name, image.empty, curves(counts, lowest_levels(self.protocol.rules, scale)), singles
            )

    def _average(self) -> Averages:
        means = Averages()
        for image in self._scored():
            means.add(image)
        if not means.images:
            raise self._nothing()
        return means

    def _empty_images(self) -> int:
        return sum(image.empty for image in self._images.values())

    def _nothing(self) -> SegDistillError:
        if self._images:
            return SegDistillError(
                f"All {len(self._images)} images have nothing to find, and {self.name!r} skips such images."
            )
        return SegDistillError("There are no images to score. Name a data set that has some.")
