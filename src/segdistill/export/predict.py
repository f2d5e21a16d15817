"""Prediction from files and folders to files: masks, probabilities, overlays, at the size of the source."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from segdistill.core import SegDistillError
from segdistill.export import pictures
from segdistill.export.base import NotSegmented, Predictor, named
from segdistill.export.files import make_folder, write_png
from segdistill.export.inputs import check_results, find_inputs, is_video
from segdistill.export.video import Clip, Video, segment
from segdistill.export.video.clip import Chart
from segdistill.images.decode import read_image
from segdistill.viz import Image


@dataclass(frozen=True)
class Predicted:
    """What `predict` did.

    Attributes:
        count: How many images were segmented, frames of videos not counted.
        seconds_per_image: Mean time of the predictor alone, without reading and writing; 0 without images.
        out: The folder written to.
        clips: What became of each video.
    """

    count: int
    seconds_per_image: float
    out: Path
    clips: tuple[Clip, ...] = ()


def predict(
    predictor: Predictor,
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    overlays: bool = False,
    probabilities: bool = False,
    overwrite: bool = False,
    chart: Chart | None = None,
    place: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predicted:
    """Segment images and videos and write what was found, each at the size of its source.

    `NAME.png` is the mask of an image: 0 and 255 for a binary task, class indices for a multi-class one; a
    multi-label task gives one `NAME_CLASS.png` of 0 and 255 per class. `NAME_probability.png` holds
    probabilities in 8 bits (255 is 1.0), by class where there are several; `NAME_overlay.png` is for looking at.

    A video becomes a folder `NAME` of such files per frame, `frame_000000.png` and on, `NAME.json` with speed and
    `Stability`, and `NAME_overlay.mp4` at the video's rate; all at once, when its last frame is done.

    Args:
        predictor: From an image to a `Prediction`.
        inputs: Images, videos, and folders of both; folders are read flat, hidden files are left out.
        out: Folder for the results.
        overlays: Write overlays too.
        probabilities: Write probabilities too.
        overwrite: Replace results that are there already.
        chart: Draws `NAME_stability.png` of each video, as `segdistill.report.video.chart` does.
        place: Where the predictor runs, in words, to stand beside the speed of each video.
        progress: Called with the images and frames that are done, and how many there are; the second number
            grows when a video is opened.

    Raises:
        SegDistillError: Before anything is written, if an input is missing, a folder holds no image, two
            results would have one name, or a result exists; at once, if a result cannot be written; at the end,
            naming every file that could not be read, or not to its end, or of which the network makes numbers that
            are not finite.
    """
    files = find_inputs([inputs] if isinstance(inputs, str | Path) else inputs)
    extras = [kind for kind, wanted in (("overlay", overlays), ("probability", probabilities)) if wanted]
    check_results(files, Path(out), extras, classes=predictor.classes, overwrite=overwrite)
    folder = make_folder(Path(out))
    count = _Count(progress, len(files))
    seconds: list[float] = []
    clips: list[Clip] = []
    failures: dict[Path, str] = {}
    for file in files:
        try:
            source = _opened(file)
            if isinstance(source, Video):
                count.expect(source.expected)
                clip = segment(
                    predictor, source, folder, extras=extras, chart=chart, place=place, tick=count.tick
                )
                clips.append(clip)
                if source.damage:
                    failures[file] = f"{source.damage}; what was read is done"
            else:
                seconds.append(_segment_image(predictor, source, file, folder, extras))
                count.tick()
        except NotSegmented as error:
            failures[file] = str(error)
    if failures:
        raise _failed(failures, len(files))
    return Predicted(len(seconds), float(np.mean(seconds)) if seconds else 0.0, folder, tuple(clips))


def _segment_image(
    predictor: Predictor, image: Image, file: Path, folder: Path, extras: Sequence[str]
) -> float:
    """Write what is found on the image of a file; returns the seconds of the predictor."""
    stem = folder / file.stem
    start = time.perf_counter()
    with named(str(file)):
        prediction = predictor(image)
    seconds = time.perf_counter() - start
    for suffix, picture in pictures.files(prediction, predictor.classes, probability="probability" in extras):
        write_png(stem.with_name(f"{stem.name}{suffix}.png"), picture)
    if "overlay" in extras:
        write_png(stem.with_name(f"{stem.name}_overlay.png"), pictures.overlaid(image, prediction))
    return seconds


def _opened(file: Path) -> Image | Video:
    try:
        return Video(file) if is_video(file) else read_image(file)
    except (SegDistillError, OSError) as error:
        raise NotSegmented(str(error)) from error


class _Count:
    """Counts images and frames; what a video adds shows when it is opened."""

    def __init__(self, report: Callable[[int, int], None] | None, total: int) -> None:
        self._report = report
        self._done, self._total = 0, total

    def expect(self, frames: int | None) -> None:
        self._total += (frames or 1) - 1

    def tick(self) -> None:
        self._done += 1
        if self._report:
            self._report(self._done, max(self._done, self._total))


def _failed(failures: dict[Path, str], total: int) -> SegDistillError:
    first = next(iter(failures.values())).rstrip(".")
    if total == 1:
        return SegDistillError(f"{first}.")
    named = ", ".join(map(str, list(failures)[:5])) + (", ..." if len(failures) > 5 else "")
    rest = total - len(failures)
    done = {0: "", 1: " The other one is done."}.get(rest, f" The other {rest} are done.")
    return SegDistillError(
        f"{len(failures)} of {total} files could not be segmented: {named} ({first}).{done}"
    )
