"""A video in, a video with masks drawn on it out, in a format that browsers play."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from segdistill.app.drawing import Look, anything, draw
from segdistill.app.intake import Limits, check_kept
from segdistill.app.model import Model
from segdistill.core import SegDistillError
from segdistill.export.video import Recorder, Video
from segdistill.export.video.clip import DEFAULT_RATE
from segdistill.viz import Image


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
        SegDistillError: If it is gone or no video, its frames are too large, the network fails on one, or there is
            no space for the result.
    """
    video = _opened(path, limits)
    start = time.perf_counter()
    seconds: list[float] = []
    shares: list[float] = []
    recorder: Recorder | None = None
    cut = False
    with ExitStack() as recording:
        for index, frame in enumerate(video):
            if cut := index >= limits.frames:
                break
            tick(index, video.expected)
            found = model(frame, name=f"frame {index}")
            seconds.append(found.seconds)
            shares.append(100 * float(anything(found, look.threshold).mean()))
            drawn = draw(found.shrunk(side), look)
            recorder = recorder or recording.enter_context(_recorder(out, drawn, video))
            recorder.write(drawn)
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
    check_kept(path)
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


@contextmanager
def _recorder(out: Path, frame: Image, video: Video) -> Iterator[Recorder]:
    try:
        with Recorder(out, frame.shape[:2], fps=video.fps or DEFAULT_RATE) as recorder:
            yield recorder
    except OSError as error:
        raise SegDistillError(f"The result cannot be written: {error}; send a shorter video.") from error
