"""Where pixels came from: dense optical flow between consecutive frames, and masks carried along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.viz import Image

Mask = NDArray[np.uint8]

#: Longest side that motion is computed on, in pixels: enough for the outline of a lesion, cheap in full HD.
LONGEST = 512
#: Shortest: flow compares patches of 8 pixels, on a coarse copy too.
_SHORTEST = 16


@dataclass(frozen=True)
class Field:
    """Motion between two frames, at the size of `reduced`.

    Attributes:
        origin: float32 `(h, w, 2)`: x and y in the previous frame of what each pixel of the present one shows.
        known: uint8 `(h, w)`: 1 where that lies within the previous frame, else 0.
        shift: Median displacement, in pixels of the whole frame.
        change: Mean absolute difference of grey between the frames, 0 to 255, where known.
        unexplained: The same after the previous frame was moved along; near `change` where flow failed.
    """

    origin: NDArray[np.float32]
    known: Mask
    shift: float
    change: float
    unexplained: float

    def carry(self, mask: Mask) -> Mask:
        """Move a reduced mask of the previous frame to where it is expected in the present one."""
        return _moved(mask, self.origin, cv2.INTER_NEAREST)


class Motion:
    """Optical flow through a sequence: DIS (Kroeger et al. 2016) from each frame back to the one before."""

    def __init__(self) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._shape: tuple[int, ...] = ()
        self._before: Image | None = None

    def update(self, frame: Image) -> Field | None:
        """Take the next RGB frame `(H, W, 3)`; the first has no motion.

        Raises:
            SegDistillError: If it has another size than the frames before.
        """
        if self._shape not in ((), frame.shape):
            raise SegDistillError(
                f"Frames of one sequence have one size, got {frame.shape[:2]} after {self._shape[:2]}: "
                f"resize them first."
            )
        before, now = self._before, reduced(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY))
        self._before, self._shape = now, frame.shape
        if before is None:
            return None
        return _field(before, now, self._flow.calc(now, before, None), scale=frame.shape[0] / now.shape[0])


def reduced(image: Image) -> Image:
    """Bring grey values `(H, W)` to the size that motion is computed on, by the mean over areas."""
    factor = min(1.0, LONGEST / max(image.shape))
    height, width = (max(_SHORTEST, round(side * factor)) for side in image.shape)
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA))


def reduced_mask(mask: Mask) -> Mask:
    """Reduce zeros and ones likewise: one where half of the area or more is."""
    return (reduced(mask * np.uint8(255)) > 127).astype(np.uint8)


def _field(before: Image, now: Image, flow: NDArray[np.float32], *, scale: float) -> Field:
    height, width = now.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    known = (x > -0.5) & (y > -0.5) & (x < width - 0.5) & (y < height - 0.5)
    origin = np.stack([x, y], axis=-1)
    return Field(
        origin,
        known.astype(np.uint8),
        scale * float(np.median(np.linalg.norm(flow, axis=2))),
        _difference(before, now, known),
        _difference(_moved(before, origin, cv2.INTER_LINEAR), now, known),
    )


def _moved(image: Image, origin: NDArray[np.float32], how: int) -> Image:
    return np.asarray(cv2.remap(image, origin, None, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0))


def _difference(a: Image, b: Image, where: NDArray[Any]) -> float:
    return float(cv2.absdiff(a, b)[where].mean()) if where.any() else 0.0
