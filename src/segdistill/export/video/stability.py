"""How steady masks are from frame to frame. No truth is needed, and none is told: empty masks are steady, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.export.base import Prediction
from segdistill.export.video.motion import Field, Motion, reduced_mask
from segdistill.viz import Image

#: Increases when a number would come out otherwise.
VERSION = 1

Number = float | None


class Pair(NamedTuple):
    """Pixels of one class in two consecutive frames: in both masks, in the earlier, in the later."""

    both: int
    before: int
    after: int

    @property
    def iou(self) -> Number:
        """Intersection over union; `None` where both masks are empty."""
        union = self.before + self.after - self.both
        return self.both / union if union else None

    @property
    def dice(self) -> Number:
        """Dice; `None` where both masks are empty."""
        total = self.before + self.after
        return 2 * self.both / total if total else None

    @property
    def change(self) -> Number:
        """Difference of the areas as a share of the larger; `None` where both masks are empty."""
        larger = max(self.before, self.after)
        return abs(self.after - self.before) / larger if larger else None


class Stability:
    """Compares the mask of every frame with the one before, class by class, in memory that frames do not fill.

    **Plain** numbers compare masks pixel by pixel; a moving camera lowers them though the network is steady.
    **Compensated** numbers first carry the earlier mask along the optical flow between the two frames, the
    temporal consistency of Liu et al. (Efficient Semantic Video Segmentation with Per-Frame Inference, ECCV
    2020), on frames of at most 512 pixels; what comes from outside the frame is left out. Flow fails at cuts
    and on water, bubbles and reflections: `motion` in the summary says how much of the change of the picture it
    explains. It depends on the frames alone, so two networks on one clip are compared fairly.

    Args:
        classes: Names as `Predictor.classes` has them; the background of a mask of indices is left out.

    Examples:
        >>> steady = Stability(("background", "polyp"))
        >>> for column in (4, 4, 6):
        ...     mask = np.zeros((32, 32), np.uint8)
        ...     mask[4:8, column : column + 4] = 1
        ...     steady.update(np.zeros((32, 32, 3), np.uint8), Prediction(mask, mask.astype(np.float32)))
        >>> round(steady.summary()["classes"]["polyp"]["iou"]["mean"], 3)  # of 1 and 1/3
        0.667
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes = tuple(classes)
        self._motion = Motion()
        self._series: dict[str, _Series] = {}
        self._fields: list[tuple[float, float, float]] = []

    def update(self, frame: Image, prediction: Prediction) -> None:
        """Take the next frame, RGB `(H, W, 3)`, with what was predicted on it.

        Raises:
            SegDistillError: If it has another size than the frames before.
        """
        field = self._motion.update(frame)
        if field is not None:
            self._fields.append((field.shift, field.change, field.unexplained))
        for name, mask in planes(prediction, self._classes):
            self._series.setdefault(name, _Series()).append(mask, field)

    def summary(self) -> dict[str, Any]:
        """Sum up as plain data for JSON; what is not defined is `None`, never NaN.

        Returns:
            `classes`, by name: `iou`, `dice`, `iou_compensated`, `dice_compensated`, each with `mean` and
            `p5` (a twentieth of the pairs is worse) over the `pairs` in which the class is found at all, and
            the number of `empty_pairs`, which are left out; `found`, the share of frames it is found in;
            `flicker`, the share of frames, those at either end excepted, where it appears or vanishes for this
            one frame only; `area_change_percent`, the mean difference of areas in per cent of the larger.
            `motion`: medians of what `Field` says. `per_frame`, by name: `area`, in pixels; `iou` and
            `iou_compensated` with the frame before.
        """
        return {
            "version": VERSION,
            "classes": {name: series.summary() for name, series in self._series.items()},
            "motion": self._moved(),
            "per_frame": {name: series.rows() for name, series in self._series.items()},
        }

    def _moved(self) -> dict[str, Number]:
        names = ("shift_pixels", "grey_change", "grey_change_compensated")
        medians = np.median(self._fields, axis=0).tolist() if self._fields else [None] * len(names)
        return dict(zip(names, medians, strict=True))


def planes(prediction: Prediction, classes: Sequence[str]) -> list[tuple[str, NDArray[np.uint8]]]:
    """Take a prediction apart: name and mask `(H, W)` of zeros and ones of every class but the background."""
    if prediction.mask.ndim == 3:
        return list(zip(classes, prediction.mask, strict=True))
    return [
        (name, (prediction.mask == label).astype(np.uint8)) for label, name in enumerate(classes) if label
    ]


class _Series:
    """The counts of one class through time."""

    def __init__(self) -> None:
        self.areas: list[int] = []
        self.plain: list[Pair] = []
        self.compensated: list[Pair] = []
        self._before: tuple[NDArray[np.uint8], NDArray[np.uint8]] | None = None

    def append(self, mask: NDArray[np.uint8], field: Field | None) -> None:
        self.areas.append(int(np.count_nonzero(mask)))
        small = reduced_mask(mask)
        if self._before is not None and field is not None:
            whole_before, small_before = self._before
            self.plain.append(_pair(whole_before, mask))
            self.compensated.append(_pair(field.carry(small_before), small * field.known))
        self._before = mask, small

    def summary(self) -> dict[str, Any]:
        return {
            "iou": _spread(pair.iou for pair in self.plain),
            "dice": _spread(pair.dice for pair in self.plain),
            "iou_compensated": _spread(pair.iou for pair in self.compensated),
            "dice_compensated": _spread(pair.dice for pair in self.compensated),
            "area_change_percent": _mean([pair.change for pair in self.plain], 100),
            "flicker": _flicker(self.areas),
            "found": _mean([float(area > 0) for area in self.areas]),
            "pairs": sum(pair.iou is not None for pair in self.plain),
            "empty_pairs": sum(pair.iou is None for pair in self.plain),
        }

    def rows(self) -> dict[str, list[Number]]:
        first: list[Number] = [None]  # the first frame has none before it
        return {
            "area": list(self.areas),
            "iou": first + [pair.iou for pair in self.plain],
            "iou_compensated": first + [pair.iou for pair in self.compensated],
        }


def _pair(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Pair:
    both, earlier, later = (int(np.count_nonzero(mask)) for mask in (before & after, before, after))
    return Pair(both, earlier, later)


def _spread(values: Iterable[Number]) -> dict[str, Number]:
    known = [value for value in values if value is not None]
    return {"mean": _over(known, np.mean), "p5": _over(known, lambda v: np.percentile(v, 5))}


def _mean(values: Iterable[Number], factor: float = 1) -> Number:
    return _over([factor * value for value in values if value is not None], np.mean)


def _over(values: Sequence[float], statistic: Callable[[Any], Any]) -> Number:
    return float(statistic(values)) if values else None


def _flicker(areas: Sequence[int]) -> Number:
    found = [area > 0 for area in areas]
    alone = [a == c != b for a, b, c in zip(found, found[1:], found[2:], strict=False)]
    return float(np.mean(alone)) if alone else None
