"""Write frames as an MP4 file."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from segdistill.core import SegDistillError
from segdistill.export.video.reading import quiet
from segdistill.viz import Image

#: MPEG-4 Part 2: the one codec for MP4 that every build of OpenCV writes without a hardware encoder.
CODEC = "mp4v"
#: It counts time in parts of a second, of which there can be no more.
_FINEST = 65535


class Recorder:
    """An MP4 file that is being written; `close` it, or what was written is no video.

    MPEG-4 needs even sides: an odd one grows by repeating its last row or column.

    Args:
        path: The file, which is overwritten.
        size: Height and width of the frames.
        fps: Frames per second.

    Raises:
        SegDistillError: If this OpenCV cannot write MPEG-4.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], *, fps: float) -> None:
        self.path = Path(path)
        self._odd = size[0] % 2, size[1] % 2
        self._count = 0
        even = (size[1] + self._odd[1], size[0] + self._odd[0])
        with quiet():
            fourcc = cv2.VideoWriter.fourcc(*CODEC)
            self._writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, fourcc, _expressible(fps), even)
        if not self._writer.isOpened():
            raise SegDistillError(
                f"This OpenCV cannot write MPEG-4 video ({CODEC}) of {even[0]} x {even[1]} at {fps:g} frames per "
                f"second: leave the overlay out, or install opencv-python-headless from PyPI."
            )

    def write(self, frame: Image) -> None:
        """Append a uint8 RGB frame `(H, W, 3)`."""
        even = np.pad(frame, ((0, self._odd[0]), (0, self._odd[1]), (0, 0)), mode="edge")
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))
        self._count += 1

    def close(self) -> None:
        """Finish the file.

        Raises:
            OSError: If not every frame is in it. OpenCV says nothing when a disk is full.
        """
        self._writer.release()
        with quiet():
            stored = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG).get(cv2.CAP_PROP_FRAME_COUNT)
        if stored != self._count:
            raise OSError("the video is incomplete, most likely for want of space")


def _expressible(fps: float) -> float:
    """The rate with as many decimals as the codec has room for: OpenCV takes 66.667 for 66667 frames in 1000 s."""
    return round(fps, math.floor(math.log10(_FINEST / fps)))
