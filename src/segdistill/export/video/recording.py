"""Write frames as a video file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple, Self

import cv2
import numpy as np

from segdistill.core import SegDistillError, unknown
from segdistill.export.video.reading import quiet
from segdistill.viz import Image


class Format(NamedTuple):
    """How a kind of file is written, and what to do where that cannot be."""

    name: str
    codec: str
    advice: str


_INSTALL = "install opencv-python-headless from PyPI"
#: By the ending of the file. MPEG-4 Part 2 is the one codec for MP4 that every build of OpenCV writes without a
#: hardware encoder; VP8 in WebM is what every browser plays.
FORMATS = {
    ".mp4": Format("MPEG-4", "mp4v", f"leave the overlay out, or {_INSTALL}"),
    ".webm": Format("WebM", "VP80", _INSTALL),
}
#: MPEG-4 counts time in parts of a second, of which there can be no more.
_FINEST = 65535


class Recorder:
    """A video file that is being written, in a `with` block or until `close`; before that it is no video.

    The codecs need even sides: an odd one grows by repeating its last row or column.

    Args:
        path: The file, `.mp4` or `.webm`, which is overwritten.
        size: Height and width of the frames.
        fps: Frames per second.

    Raises:
        SegDistillError: If the ending is another, or this OpenCV cannot write the format.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], *, fps: float) -> None:
        self.path = Path(path)
        self._odd = size[0] % 2, size[1] % 2
        self._count = 0
        even = (size[1] + self._odd[1], size[0] + self._odd[0])
        if self.path.suffix not in FORMATS:
            raise unknown("kind of video to write", self.path.suffix, FORMATS)
        name, codec, advice = FORMATS[self.path.suffix]
        with quiet():
            fourcc = cv2.VideoWriter.fourcc(*codec)
            self._writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, fourcc, _expressible(fps), even)
        if not self._writer.isOpened():
            raise SegDistillError(
                f"This OpenCV cannot write {name} video ({codec}) of {even[0]} x {even[1]} at {fps:g} frames per "
                f"second: {advice}."
            )

    def write(self, frame: Image) -> None:
        """Append a uint8 RGB frame `(H, W, 3)`."""
        even = np.pad(frame, ((0, self._odd[0]), (0, self._odd[1]), (0, 0)), mode="edge")
        self._writer.write(cv2.cvtColor(even, cv2.COLOR_RGB2BGR))
        self._count += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:  # half a video has no frames to be counted
            self._writer.release()

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
