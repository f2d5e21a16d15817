"""A video in, a video with masks drawn on it out, in a format that browsers play."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from segdistill.app.drawing import Look, anything, draw
from segdistill.app.intake import Limits
from segdistill.app.model import Model
from segdistill.core import SegDistillError
from segdistill.export.video import Video
from segdistill.export.video.reading import quiet
from segdistill.viz import Image

#: VP8 in WebM: free, played by every browser, and written by the FFmpeg inside OpenCV.
CODEC = "VP80"
_RATE = 25.0  # where the file does not say


@dataclass(frozen=True)
class Watched:
    """What became of a video.

    Attributes:
        frames: How many were segmented.
        cut: Whether the video goes on after the limit.
        network_fps: Frames per second of the network alone, by the median frame.
        end_to_end_fps: Frames per second with reading, drawing and writing.
        percent: Mean area of everything that is marked, what overlaps counted once.
        damage: What is wrong with a file that ends too soon.
    """

    frames: int
    cut: bool
    network_fps: float
    end_to_end_fps: float
    percent: float
    damage: str | None = None


def watch(
    model: Model,
    path: str | Path,
    out: Path,
    *,
    look: Look,
    limits: Limits,
    side: int = 960,
    tick: Callable[[int, int | None], object] = lambda done, of: None,
) -> Watched:
    """Segment a video and write it with its masks, at most `side` pixels long.

    Raises:
        SegDistillError: If it is no video, or its frames are too large.
    """
    video = _opened(path, limits)
    start = time.perf_counter()
    seconds: list[float] = []
    shares: list[float] = []
    writer: cv2.VideoWriter | None = None
    cut = False
    try:
        for index, frame in enumerate(video):
            if cut := index >= limits.frames:
                break
            tick(index, video.expected)
            found = model(frame)
            seconds.append(found.seconds)
            shares.append(100 * float(anything(found, look.threshold).mean()))
            drawn = draw(found.shrunk(side), look)
            writer = writer or _writer(out, drawn, video.fps or _RATE)
            writer.write(cv2.cvtColor(_even(drawn), cv2.COLOR_RGB2BGR))
    finally:
        if writer:
            writer.release()
    took = time.perf_counter() - start
    return Watched(
        len(seconds),
        cut,
        1 / median(seconds),
        len(seconds) / took,
        float(np.mean(shares)),
        None if cut or not video.damage else video.damage.replace(str(path), Path(path).name),
    )


def _opened(path: str | Path, limits: Limits) -> Video:
    try:
        video = Video(path)
    except SegDistillError as error:
        raise SegDistillError(str(error).replace(str(path), Path(path).name)) from error
    height, width = video.size
    if height * width > limits.megapixels * 1e6:
        raise SegDistillError(
            f"Frames of {width} x {height} pixels are too large, {limits.megapixels:g} megapixels are the limit: "
            f"make the video smaller."
        )
    return video


def _writer(out: Path, frame: Image, fps: float) -> cv2.VideoWriter:
    height, width = _even(frame).shape[:2]
    with quiet():
        writer = cv2.VideoWriter(
            str(out), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*CODEC), fps, (width, height)
        )
    if not writer.isOpened():
        raise SegDistillError(
            "This OpenCV cannot write WebM video: install opencv-python-headless from PyPI."
        )
    return writer


def _even(frame: Image) -> Image:
    """The codec needs even sides: an odd one grows by repeating its last row or column."""
    even: Image = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), mode="edge")
    return even
