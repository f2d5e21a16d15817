"""What every metric checks before it looks at a pixel."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError


def triples(
    predicted: Iterable[Any], target: Iterable[Any], ids: Sequence[str], *, one: str = "image"
) -> Iterator[tuple[Any, Any, str]]:
    """Prediction, truth and id of one image after the other.

    Args:
        predicted: One per image.
        target: One per image.
        ids: One per image.
        one: What an item is called in messages.

    Raises:
        SegDistillError: If the numbers differ.
    """
    predicted, target = list(predicted), list(target)
    if not len(predicted) == len(target) == len(ids):
        raise SegDistillError(
            f"Got {len(predicted)} predictions, {len(target)} true masks and {len(ids)} ids; "
            f"give one of each per {one}, a single {one} in a list."
        )
    return zip(predicted, target, ids, strict=True)


def refuse_again(name: str, *taken: Container[str], one: str = "image") -> None:
    """Refuse an item that was scored before.

    Raises:
        SegDistillError: Naming it.
    """
    if any(name in each for each in taken):
        raise SegDistillError(f"The {one} {name!r} was scored twice; ids must be unique in a data set.")


def to_array(values: Any) -> NDArray[Any]:
    """A tensor or array-like as an array."""
    if isinstance(values, np.ndarray):
        return values
    from torch import Tensor  # scores of files do without it

    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)
