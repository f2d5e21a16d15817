"""How pixels of 16 bits become bytes: one rule, for training and for prediction."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WHITE = 65535
_DARK = (_WHITE + 1) // 8


def to_bytes(values: NDArray[Any], *, place: str) -> NDArray[np.uint8]:
    """Bring pixels of 16 bits to 8, rounded: 65535 is white, whatever an image holds.

    An image is never stretched to its own content, or a dark scene would look like a bright one. What stays below an
    eighth of the range is most likely of a camera of 10 or 12 bits, and warned of, once for each place.

    Args:
        values: uint16, of any shape.
        place: Where the image comes from, such as its folder, for the warning.

    Examples:
        >>> to_bytes(np.array([257, 65535], np.uint16), place="memory").tolist()
        [1, 255]
    """
    if 0 < values.max(initial=0) < _DARK:
        # Nothing in the text is of one image: Python shows the same text once.
        warnings.warn(
            f"A 16-bit image in {place} stays below {_DARK}, an eighth of its range: white is {_WHITE}, so it becomes "
            "nearly black. Multiply the values of a camera of fewer bits before you save them, those of 12 bits by 16.",
            stacklevel=2,
        )
    # The nearest of the 256 levels, in 32 bits because 65535 + 128 does not fit 16.
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
