"""Read video files frame by frame, and say when one is no video or ends too soon.

FFmpeg inside OpenCV decodes. Frames come upright, since a rotation in the file's metadata is applied, and one by one as
they are stored: of a variable frame rate every frame is read once, whatever its duration.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
from PIL import Image as Picture

from segdistill.core import SegDistillError
from segdistill.viz import Image

SUFFIXES = (".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".gif")
#: FFmpeg reads these as videos of one frame; a GIF may be one of several.
_STILL = ("BMP", "JPEG", "PNG", "TIFF", "WEBP")
_FASTEST = 1000.0  # frames per second; what is above is a clock of the container, not a rate


def frames(path: str | Path) -> Iterator[Image]:
    """Read a video as uint8 RGB frames `(H, W, 3)`, one in memory at a time.

    Raises:
        SegDistillError: With the first frame, if the file is missing, no video, or holds no frame; after the
            last one that could be read, if the file promised more.

    Examples:
        Show the mean of every frame::

            for frame in frames("clip.mp4"):
                print(frame.mean())
    """
    video = Video(path)
    yield from video
    if video.damage:
        raise SegDistillError(video.damage)


class Video:
    """A video file that was opened and has at least one frame. It can be gone through once.

    Args:
        path: The file.

    Attributes:
        path: The file.
        size: Height and width of the upright frames.
        fps: Mean frames per second as the file says; `None` if it does not.
        read: How many frames were read so far.
        expected: How many frames the file promises; `None` if it does not. Some formats only estimate it.

    Raises:
        SegDistillError: If the file is missing, no video, or holds no frame.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SegDistillError(f"There is no video file {self.path}.")
        _refuse_still(self.path)
        with quiet():
            self._capture = cv2.VideoCapture(str(self.path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise SegDistillError(
                f"Cannot read {str(self.path)!r}: it is no video that OpenCV can decode, or it was cut off; "
                f"convert it to MP4, or record it anew."
            )
        self.fps = _rate(self._capture.get(cv2.CAP_PROP_FPS))
        self.expected = _count(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.read, self._time = 0, 0.0
        first = self._next()
        if first is None:
            raise SegDistillError(
                f"Cannot read {str(self.path)!r}: the video holds no frame; record it anew."
            )
        self._first: Image | None = first
        self.size = (first.shape[0], first.shape[1])

    def __iter__(self) -> Iterator[Image]:
        """Yield uint8 RGB frames `(H, W, 3)`."""
        frame, self._first = self._first, None
        while frame is not None:
            yield frame
            frame = self._next()
        self._capture.release()

    @property
    def damage(self) -> str | None:
        """What is wrong if the frames that were read are fewer than promised; one frame less is common."""
        if not self.expected or self._missing() < 2:
            return None
        return f"{str(self.path)!r} ends after {self.read} of {self.expected} frames: it is damaged or was cut off"

    def _missing(self) -> int:
        # Formats without an index estimate the number from duration and rate, which is too high where the rate
        # varies; the last frame's time then tells that nothing is missing.
        expected = self.expected or 0
        by_time = expected - 1 - round(self._time * (self.fps or math.inf))
        return min(expected - self.read, by_time)

    def _next(self) -> Image | None:
        found, frame = self._capture.read()
        if not found:
            return None
        self.read += 1
        self._time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        rgb: Image = cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        return rgb


def _refuse_still(path: Path) -> None:
    try:
        with Picture.open(path, formats=_STILL) as picture:
            kind = picture.format
    except (OSError, ValueError, SyntaxError, Picture.DecompressionBombError):
        return
    raise SegDistillError(f"{str(path)!r} is a {kind} image and no video; give its name the ending of one.")


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV and FFmpeg from printing; what fails is told by an error."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # read once, when the first video is opened
    before = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


def _rate(value: float) -> float | None:
    return value if 0 < value <= _FASTEST else None


def _count(value: float) -> int | None:
    return round(value) if 0 < value < math.inf else None
