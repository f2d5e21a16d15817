"""Segment one video: a mask per frame, a drawn-on copy, and the record of how fast and how steady it went."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from segdistill.export import pictures
from segdistill.export.base import Prediction, Predictor, named
from segdistill.export.files import png
from segdistill.export.staging import publish, staged
from segdistill.export.video.reading import Video
from segdistill.export.video.recording import Recorder
from segdistill.export.video.stability import Stability
from segdistill.viz import Image

#: Frames per second of the drawn-on copy where the file does not say them.
DEFAULT_RATE = 25.0

Record = dict[str, Any]
#: Draws a record as a PNG file.
Chart = Callable[[Record], bytes]


@dataclass(frozen=True)
class Clip:
    """What became of a video.

    Attributes:
        masks: The folder of masks.
        record: What the JSON file holds: the frames, the speed, and `Stability.summary`.
    """

    masks: Path
    record: Record


def results(file: Path, *, overlay: bool) -> list[str]:
    """Name the files and the folder that `segment` makes of a video."""
    names = [file.stem, f"{file.stem}.json", f"{file.stem}_stability.png"]
    return [*names, f"{file.stem}_overlay.mp4"] if overlay else names


def segment(
    predictor: Predictor,
    video: Video,
    out: Path,
    *,
    extras: Sequence[str] = (),
    chart: Chart | None = None,
    place: str | None = None,
    tick: Callable[[], None] = lambda: None,
) -> Clip:
    """Segment a video frame by frame, in memory that does not grow with its length.

    Everything appears in `out` at the end, or nothing does; what is there already is replaced.

    Args:
        predictor: From a frame to a `Prediction`.
        video: What to segment; a damaged one as far as it goes.
        out: A folder that exists.
        extras: Of `"overlay"` and `"probability"`, what to write besides masks.
        chart: Draws `NAME_stability.png` from the record.
        place: Where the predictor runs, in words, to stand beside its speed.
        tick: Called after each frame.

    Raises:
        SegDistillError: If the disk is full, or this OpenCV cannot write MPEG-4.
        NotSegmented: If the network fails on a frame.
    """
    name = video.path.stem
    steady, clock = Stability(predictor.classes), _Clock()
    with staged(out, name) as stage:
        with _recorder(stage / f"{name}_overlay.mp4", video, wanted="overlay" in extras) as show:
            (stage / name).mkdir()
            for index, frame in enumerate(clock.timed("reading", video)):
                with clock.time("network"), named(f"{video.path}, frame {index}"):
                    prediction = predictor(frame)
                with clock.time("writing"):
                    _write(stage / name / f"frame_{index:06d}", prediction, predictor.classes, extras)
                    show(frame, prediction)
                steady.update(frame, prediction)
                tick()
        record = _facts(video) | {"speed": clock.speed() | {"device": place}} | steady.summary()
        (stage / f"{name}.json").write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
        if chart:
            (stage / f"{name}_stability.png").write_bytes(chart(record))
        publish(stage, out)
    return Clip(out / name, record)


def _facts(video: Video) -> Record:
    return {
        "file": video.path.name,
        "frames": video.read,
        "complete": video.damage is None,
        "height": video.size[0],
        "width": video.size[1],
        "fps": video.fps,
    }


def _write(stem: Path, prediction: Prediction, classes: Sequence[str], extras: Sequence[str]) -> None:
    for suffix, picture in pictures.files(prediction, classes, probability="probability" in extras):
        stem.with_name(f"{stem.name}{suffix}.png").write_bytes(png(picture))


@contextmanager
def _recorder(path: Path, video: Video, *, wanted: bool) -> Iterator[Callable[[Image, Prediction], None]]:
    if not wanted:
        yield lambda frame, prediction: None
        return
    with Recorder(path, video.size, fps=video.fps or DEFAULT_RATE) as recorder:
        yield lambda frame, prediction: recorder.write(pictures.overlaid(frame, prediction))


@dataclass
class _Clock:
    """Seconds by what they were spent on."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def time(self, what: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds.setdefault(what, []).append(time.perf_counter() - start)

    def timed(self, what: str, frames: Video) -> Iterator[Image]:
        source = iter(frames)
        while True:
            with self.time(what):
                frame = next(source, None)
            if frame is None:
                return
            yield frame

    def speed(self) -> dict[str, float]:
        """Frames per second: of the network, by the median frame; of everything but the measuring, overall."""
        network = self.seconds["network"]
        total = sum(map(sum, self.seconds.values()))
        return {"network_fps": 1 / median(network), "end_to_end_fps": len(network) / total}
