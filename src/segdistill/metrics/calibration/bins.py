"""How often what is said with a probability is true: sums by bin of probability."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Sums of probabilities are kept as whole multiples of this: whole numbers add up to the same in any order. One image's
# sum is rounded by less than 1e-12, once.
_UNIT = 2.0**-40


def to_whole(total: float) -> int:
    """A sum over one image as a whole number, which can be added in any order."""
    return round(total / _UNIT)


def from_whole(total: int) -> float:
    """The way back."""
    return total * _UNIT


@dataclass
class Bins:
    """Pixels by the probability that was predicted for them.

    Args:
        count: How many bins of equal width [0, 1] has; a probability on an edge belongs to the upper bin.

    Attributes:
        pixels: `(count,)` how many pixels.
        hits: `(count,)` for how many of them the prediction came true.
        sums: `(count,)` sum of their probabilities, as `to_whole` gives it.
    """

    count: int
    pixels: list[int] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with nothing."""
        if not self.pixels:
            self.pixels, self.hits, self.sums = ([0] * self.count for _ in range(3))

    def add(self, probability: NDArray[np.floating], came_true: NDArray[np.bool_]) -> None:
        """Take in the pixels of one image, `(N,)` each."""
        index = np.minimum((probability * self.count).astype(np.uint16), self.count - 1)
        both = np.bincount(index + np.uint16(self.count) * came_true, minlength=2 * self.count)
        sums = np.bincount(index, weights=probability, minlength=self.count)
        missed, hits = both[: self.count].tolist(), both[self.count :].tolist()
        found = Bins(
            self.count, [m + h for m, h in zip(missed, hits, strict=True)], hits, list(map(to_whole, sums))
        )
        self.merge(found)

    def merge(self, other: Bins) -> None:
        """Take in what another has collected."""
        self.pixels = [a + b for a, b in zip(self.pixels, other.pixels, strict=True)]
        self.hits = [a + b for a, b in zip(self.hits, other.hits, strict=True)]
        self.sums = [a + b for a, b in zip(self.sums, other.sums, strict=True)]

    @property
    def curve(self) -> list[dict[str, Any]]:
        """One row per bin.

        `low` and `high`, its edges; `pixels`; `confidence`, their mean probability; `frequency`, the share of
        them that came true. The last two are `None` in an empty bin.
        """
        return [
            {
                "low": index / self.count,
                "high": (index + 1) / self.count,
                "pixels": pixels,
                "confidence": from_whole(total) / pixels if pixels else None,
                "frequency": hits / pixels if pixels else None,
            }
            for index, (pixels, hits, total) in enumerate(zip(self.pixels, self.hits, self.sums, strict=True))
        ]

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean over pixels of the gap between confidence and frequency of their bin."""
        return sum(self._gaps) / sum(self.pixels)

    @property
    def largest_error(self) -> float:
        """Maximum calibration error: the largest gap of any bin, however few pixels it has."""
        return max(gap / pixels for gap, pixels in zip(self._gaps, self.pixels, strict=True) if pixels)

    @property
    def confidence(self) -> float:
        """Mean probability over all pixels."""
        return from_whole(sum(self.sums)) / sum(self.pixels)

    @property
    def frequency(self) -> float:
        """The share of all pixels for which the prediction came true."""
        return sum(self.hits) / sum(self.pixels)

    @property
    def _gaps(self) -> list[float]:
        return [abs(from_whole(total) - hits) for total, hits in zip(self.sums, self.hits, strict=True)]
