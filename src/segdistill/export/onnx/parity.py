"""Whether two predictors say the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segdistill.data import SyntheticSet
from segdistill.export.base import Prediction, Predictor
from segdistill.viz import Image

#: Heights and widths to look at: landscape and portrait, smaller and larger than most networks work at, and multiples
#: of 32, since a network without a size of its own may need those.
SIZES = ((224, 320), (640, 480))
#: The largest difference of a probability that passes: a quarter of a level of 8 bits. Sums in another order make 1e-5.
TOLERANCE = 1e-3


def images() -> list[Image]:
    """Synthetic frames, which have texture and edges as photographs have."""
    return [SyntheticSet(1, size=size).arrays(0)[0] for size in SIZES]


def largest_difference(reference: Sequence[Prediction], other: Predictor, images: Sequence[Image]) -> float:
    """The largest difference of a probability.

    Args:
        reference: What is right, by image.
        other: What is tried.
        images: uint8 RGB `(H, W, 3)`.
    """
    pairs = zip(reference, map(other, images), strict=True)
    return max(float(np.abs(one.probability - two.probability).max()) for one, two in pairs)
