"""What every predictor gives, whatever runs the network. Needs numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError, first_line


@dataclass(frozen=True)
class Prediction:
    """What a network says about one image, at the image's own size.

    Attributes:
        mask: uint8 `(H, W)` class indices; `(C, H, W)` zeros and ones for a multi-label task.
        probability: float32 `(H, W)` of the foreground for a binary task, else `(C, H, W)` by class.
    """

    mask: NDArray[np.uint8]
    probability: NDArray[np.float32]


class Predictor(Protocol):
    """A network with everything it needs: an image as it is in the file goes in, a `Prediction` comes out."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names by index in the mask."""
        ...

    def __call__(self, image: NDArray[Any]) -> Prediction:
        """Segment one image, `(H, W, 3)` RGB or what `segdistill.images.pixels.rgb` accepts."""
        ...


class NotSegmented(SegDistillError):
    """What is wrong with one image, or with what the network makes of it; the next one may be fine."""


def cannot_segment(network: str, size: Sequence[int], error: Exception, *, says: str) -> SegDistillError:
    """The message for an image that a network fails on.

    Args:
        network: What to call it.
        size: Height and width of the image.
        error: Why.
        says: Who says so.
    """
    height, width = size
    return SegDistillError(
        f"{network} cannot segment an image of {width} x {height} pixels; many networks need sides that are multiples "
        f"of 32, or a size of their own: Tapped(net, size=...). {says} says: {first_line(error)}."
    )


@contextmanager
def named(image: str) -> Iterator[None]:
    """Put the name of an image before what a predictor, which sees pixels only, says against it.

    Raises:
        NotSegmented: In place of that.
    """
    try:
        yield
    except SegDistillError as error:
        raise NotSegmented(f"{image}: {error}") from error
