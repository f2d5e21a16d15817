"""Classes pooled over a data set: mean IoU, frequency-weighted IoU, accuracies, boundary IoU."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.metrics.counts import Counts, count_pixels, per_class
from segdistill.metrics.intake import refuse_again, to_array, triples
from segdistill.metrics.means import mean
from segdistill.metrics.miou import rates
from segdistill.metrics.miou.boundary import count_boundaries
from segdistill.metrics.resample import centre_nearest, short_side
from segdistill.tasks import Multiclass, Multilabel, Task

if TYPE_CHECKING:
    from segdistill.metrics.miou.protocol import MeanIoU

#: Where nobody says which classes there are: every label but the ignored 255.
ANY_LABEL = Multiclass(tuple(str(label) for label in range(255)))


class PooledClasses:
    """Pixels of all images in one confusion matrix.

    Args:
        task: The classes and which label is ignored; every label up to 254 is a class if not given.
        protocol: At which size masks are compared, and how wide a boundary is. `miou` if not given.

    Raises:
        SegDistillError: If a pixel may have several classes.

    Examples:
        >>> pooled = PooledClasses()
        >>> pooled.update([np.array([[0, 1, 1, 2]])], [np.array([[0, 1, 2, 2]])], ["a"])
        >>> round(pooled.compute()["miou"], 3)
        0.667
    """

    def __init__(self, task: Task | None = None, *, protocol: MeanIoU | None = None) -> None:
        from segdistill.metrics.miou.protocol import MIOU  # which makes metrics of this kind

        if isinstance(task, Multilabel):
            name = (protocol or MIOU).name
            raise SegDistillError(
                f"{name!r} needs one class per pixel; score several labels with 'dice@0.5'."
            )
        self.task, self.protocol = task or ANY_LABEL, protocol or MIOU
        self._has_names = task is not None
        self._confusion = np.zeros((len(self.task.classes),) * 2, np.int64)
        self._boundaries = np.zeros((len(self.task.classes), 3), np.int64)
        self._rows: dict[str, dict[str, Any]] = {}
        self._ignored: set[str] = set()
        self._empty = self._resized = 0

    @property
    def name(self) -> str:
        """Name of the protocol."""
        return self.protocol.name

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per image, sorted by id; images that are ignored altogether are left out.

        `id`, `miou` and `boundary_miou` over the classes of this image, `pixel_accuracy`, `pixels`. Their means
        are not the scores of the data set; they are for comparing networks image by image.
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
            predicted: `(H, W)` class indices or bools, one per image; at the size of the true mask or, where
                the protocol has a `short_side`, at that size.
            target: True masks `(H, W)`.
            ids: One stable name per image.
            spacing: Does not matter to counts.

        Raises:
            SegDistillError: If numbers or shapes differ, a label is unknown, or an image comes twice.
        """
        for p, t, name in triples(predicted, target, ids):
            refuse_again(name, self._rows, self._ignored)
            self._add(*self._sized(to_array(p), to_array(t), name), name)

    def merge(self, other: PooledClasses) -> None:
        """Take in what another process has collected.

        Raises:
            SegDistillError: If the other scores another task or protocol, or an image comes twice.
        """
        if (other.task, other.protocol) != (self.task, self.protocol):
            raise SegDistillError(
                f"Scores by {other.name!r} with {len(other.task.classes)} classes do not merge into "
                f"{self.name!r} with {len(self.task.classes)}: use one protocol and one task."
            )
        for name in (*other._rows, *other._ignored):
            refuse_again(name, self._rows, self._ignored)
        self._confusion += other._confusion
        self._boundaries += other._boundaries
        self._rows |= other._rows
        self._ignored |= other._ignored
        self._empty, self._resized = self._empty + other._empty, self._resized + other._resized

    def compute(self) -> dict[str, Any]:
        """Give the scores of the data set.

        Returns:
            In [0, 1]: `miou`; `fwiou`, weighted by how often a class is true; `pixel_accuracy`;
            `class_accuracy`, mean over classes in the truth; `boundary_miou`. `classes`, for each that occurs
            its `iou`, `accuracy` (`None` if it was only predicted), `boundary_iou` and true `pixels`;
            `absent_classes`, how many occur nowhere (`None` if the classes were not given); `images`;
            `empty_images`, how many hold nothing but class 0; `ignored_images`, whose every pixel is ignored;
            `resized_predictions` where the protocol sets a size; `protocol`, `version`, `notes`.

        Raises:
            SegDistillError: If there is no pixel to score.
        """
        if not self._rows:
            raise self._nothing()
        counts = per_class(self._confusion)
        ious, near = rates.overlaps(counts), rates.overlaps(self._boundaries)
        return {
            "miou": mean(ious),
            "fwiou": rates.weighted(ious, counts[:, 2]),
            "pixel_accuracy": rates.pixel_accuracy(counts),
            "class_accuracy": mean(rates.recalls(counts)),
            "boundary_miou": mean(near),
            "images": len(self._rows),
            "empty_images": self._empty,
            "ignored_images": len(self._ignored),
            "absent_classes": ious.count(None) if self._has_names else None,
            **({} if self.protocol.short_side is None else {"resized_predictions": self._resized}),
            "classes": self._classes(counts, ious, near),
            "protocol": self.protocol.name,
            "version": self.protocol.version,
            "notes": list(self.protocol.notes),
        }

    def _sized(self, p: NDArray[Any], t: NDArray[Any], name: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Bring both masks to the size at which the protocol compares them."""
        if t.ndim != 2 or not t.size:
            raise SegDistillError(
                f"{self.name!r} scores masks (H, W), but the true one of {name!r} is {t.shape}."
            )
        if self.protocol.short_side is None:
            return p, t
        size = short_side((t.shape[0], t.shape[1]), self.protocol.short_side)
        if p.shape == t.shape != size:
            self._resized += 1
            p = centre_nearest(p, size)
        return p, centre_nearest(t, size)

    def _add(self, p: NDArray[Any], t: NDArray[Any], name: str) -> None:
        confusion = count_pixels(p, t, self.task, name=name).confusion
        if not confusion.any():
            self._ignored.add(name)
            return
        near = count_boundaries(
            p,
            t,
            t == int(getattr(self.task, "ignore_index", 255)),
            classes=len(self.task.classes),
            share=self.protocol.boundary,
        )
        self._rows[name] = _row(name, confusion, near)
        self._empty += not confusion[1:].any()
        self._confusion += confusion
        self._boundaries += near

    def _classes(
        self, counts: Counts, ious: Sequence[float | None], near: Sequence[float | None]
    ) -> dict[str, dict[str, Any]]:
        accuracies, pixels = rates.recalls(counts), counts[:, 2].tolist()
        each = zip(self.task.classes, ious, accuracies, near, pixels, strict=True)
        names = ("iou", "accuracy", "boundary_iou", "pixels")
        return {c: dict(zip(names, values, strict=True)) for c, *values in each if values[0] is not None}

    def _nothing(self) -> SegDistillError:
        if self._ignored:
            return SegDistillError(
                f"Every pixel of all {len(self._ignored)} images is ignored: the masks hold no other label."
            )
        return SegDistillError("There are no images to score. Name a data set that has some.")


def _row(name: str, confusion: Counts, near: Counts) -> dict[str, Any]:
    counts = per_class(confusion)
    return {
        "id": name,
        "miou": mean(rates.overlaps(counts)),
        "boundary_miou": mean(rates.overlaps(near)),
        "pixel_accuracy": rates.pixel_accuracy(counts),
        "pixels": int(confusion.sum()),
    }
