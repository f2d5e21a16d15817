"""A case as it is drawn: image, truth and what both sides made of it, in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from segdistill.core import SegDistillError
from segdistill.report.comparison.backgrounds import Backgrounds
from segdistill.report.comparison.slices import choose_slice
from segdistill.report.comparison.views import Mask, Seen, View
from segdistill.viz import Image


@dataclass(frozen=True)
class Picture:
    """One case.

    Attributes:
        name: What it is, with the slice of a volume.
        truth: `(H, W)` class indices.
        a: The same of A's runs.
        b: The same of B's.
        image: uint8 `(H, W, 3)`, where there is one.
        pixel: How many times wider than tall a pixel is.
        several: Whether the case has more than one foreground, if not in this slice.
    """

    name: str
    truth: Mask
    a: Sequence[Mask]
    b: Sequence[Mask]
    image: Image | None = None
    pixel: float = 1.0
    several: bool = False


class Album:
    """The cases of one test set.

    Args:
        a: A's runs.
        b: B's.
        backgrounds: Images, where no run has one.
    """

    def __init__(self, a: Sequence[View], b: Sequence[View], backgrounds: Backgrounds) -> None:
        self.views, self.seeds, self.backgrounds = (*a, *b), len(a), backgrounds

    def __call__(self, case: str, *, lost: bool) -> Picture:
        """Bring together what all runs made of a case.

        Args:
            case: Its name.
            lost: Whether it is shown since B lost against A; decides on the slice of a volume.

        Raises:
            SegDistillError: If runs were scored against other truths, or an image does not fit.
        """
        seen, masks = _look(case, self.views)
        a, b = masks[: self.seeds], masks[self.seeds :]
        several = max(int(mask.max(initial=0)) for mask in (seen.truth, *masks)) > 1
        if seen.grid is None:
            image = self.backgrounds.image(case, seen.truth.shape) if seen.image is None else seen.image
            return Picture(case, seen.truth, a, b, image, several=several)
        index = choose_slice(seen.truth, a, b, lost=lost)
        return Picture(
            f"{case}, slice {index} of {len(seen.truth)}",
            seen.truth[index],
            [mask[index] for mask in a],
            [mask[index] for mask in b],
            self.backgrounds.slice(case, seen.grid, index),
            pixel=seen.pixel,
            several=several,
        )


def _look(case: str, views: Sequence[View]) -> tuple[Seen, list[Mask]]:
    """What the first run has, with an image if any has one, and the masks of all."""
    first = views[0](case)
    masks = [first.mask]
    for view in views[1:]:
        other = view(case)
        if not np.array_equal(first.truth, other.truth):
            raise SegDistillError(
                f"The runs were scored against different true masks of {case!r}: score all by the same."
            )
        masks.append(other.mask)
        first = first if first.image is not None else first._replace(image=other.image)
    return first, masks
