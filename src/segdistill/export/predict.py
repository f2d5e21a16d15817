"""Prediction from files and folders to files: masks, probabilities, overlays, at the size of the source."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.export.base import Prediction, Predictor
from segdistill.export.files import make_folder, write_png
from segdistill.viz import SKY, Image, contour, overlay, overlay_labels

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")


@dataclass(frozen=True)
class Predicted:
    """What `predict` did.

    Attributes:
        count: How many images were segmented.
        seconds_per_image: Mean time of the predictor alone, without reading and writing.
        out: The folder written to.
    """

    count: int
    seconds_per_image: float
    out: Path


def predict(
    predictor: Predictor,
    inputs: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    overlays: bool = False,
    probabilities: bool = False,
    overwrite: bool = False,
    progress: Callable[[Sequence[Path]], Iterable[Path]] | None = None,
) -> Predicted:
    """Segment images and write what was found as PNG files, each at the size of its image.

    `NAME.png` is the mask: 0 and 255 for a binary task, class indices for a multi-class one; a multi-label
    task gives one `NAME_CLASS.png` of 0 and 255 per class. `NAME_probability.png` holds probabilities in
    8 bits (255 is 1.0), by class where there are several; `NAME_overlay.png` is for looking at.

    Args:
        predictor: From an image to a `Prediction`.
        inputs: Images, and folders of images; folders are read flat, hidden files are left out.
        out: Folder for the results.
        overlays: Write overlays too.
        probabilities: Write probabilities too.
        overwrite: Replace results that are there already.
        progress: Wraps the list of files, as `rich.progress.track` does.

    Raises:
        SegDistillError: Before anything is written, if an input is missing, a folder holds no image, two
            results would have one name, or a result exists; at the end, naming every file that was no image.
    """
    files = find_images([inputs] if isinstance(inputs, str | Path) else inputs)
    extras = [kind for kind, wanted in (("overlay", overlays), ("probability", probabilities)) if wanted]
    _check_names(files, Path(out), extras, overwrite)
    folder = make_folder(Path(out))
    seconds: list[float] = []
    failures: dict[Path, str] = {}
    for file in progress(files) if progress else files:
        try:
            image = _read(file)
        except (SegDistillError, OSError) as error:
            failures[file] = str(error)
            continue
        start = time.perf_counter()
        prediction = predictor(image)
        seconds.append(time.perf_counter() - start)
        for suffix, picture in _pictures(image, prediction, predictor.classes, extras):
            write_png(folder / f"{file.stem}{suffix}.png", picture)
    if failures:
        raise _failed(failures, len(files))
    return Predicted(len(seconds), float(np.mean(seconds)), folder)


def find_images(inputs: Iterable[str | Path]) -> list[Path]:
    """List images: files as they are named, folders flat and sorted; a file that is named twice counts once.

    Raises:
        SegDistillError: If a path does not exist, or a folder holds no image.
    """
    found = {file.resolve(): file for path in inputs for file in _images_of(Path(path))}
    if not found:
        raise SegDistillError("There is nothing to predict: name at least one image or folder.")
    return list(found.values())


def _images_of(path: Path) -> list[Path]:
    if not path.exists():
        raise SegDistillError(f"There is no file or folder {path}.")
    if not path.is_dir():
        return [path]
    files = sorted(f for f in path.iterdir() if f.suffix.lower() in SUFFIXES and not f.name.startswith("."))
    if not files:
        inner = next(
            (f" Did you mean {f}?" for f in sorted(path.iterdir()) if f.name.lower() == "images"), ""
        )
        kinds = ", ".join(s[1:] for s in SUFFIXES)
        raise SegDistillError(
            f"The folder {path} holds no image ({kinds}); its sub-folders are not read.{inner}"
        )
    return files


def _check_names(files: Sequence[Path], out: Path, extras: Sequence[str], overwrite: bool) -> None:
    # Case is folded, because macOS and Windows take A.png and a.png for one file.
    names = [f"{f.stem}{suffix}" for f in files for suffix in ("", *(f"_{kind}" for kind in extras))]
    twice = [name for name, count in Counter(map(str.casefold, names)).items() if count > 1]
    if twice:
        alike = [str(f) for f in files if twice[0].startswith(f.stem.casefold())]
        raise SegDistillError(
            f"{' and '.join(alike[:2])} would both become {twice[0]}.png: predict them into two folders."
        )
    results = [out / f"{name}.png" for name in names]
    sources = {f.resolve() for f in files}
    if hit := next((path for path in results if path.resolve() in sources), None):
        raise SegDistillError(
            f"The result for {hit} would overwrite the image itself: choose another out folder."
        )
    there = [] if overwrite else [path for path in results if path.exists()]
    if there:
        raise SegDistillError(
            f"{out} holds {len(there)} of the results already, such as {there[0].name}: "
            f"choose another folder, or say overwrite."
        )


def _read(path: Path) -> Image:
    from segdistill.data.decode import read_image

    return read_image(path)


def _pictures(
    image: Image, prediction: Prediction, classes: Sequence[str], extras: Sequence[str]
) -> Iterator[tuple[str, Image]]:
    yield from _masks(prediction, classes)
    if "probability" in extras:
        yield from _by_class("_probability", np.rint(prediction.probability * 255), classes)
    if "overlay" in extras:
        yield "_overlay", _overlaid(image, prediction)


def _masks(prediction: Prediction, classes: Sequence[str]) -> Iterator[tuple[str, Image]]:
    if prediction.mask.ndim == 3:
        yield from _by_class("", prediction.mask * 255, classes)
    else:
        yield "", prediction.mask * np.uint8(255 if _is_binary(prediction) else 1)


def _by_class(kind: str, maps: NDArray[np.generic], classes: Sequence[str]) -> Iterator[tuple[str, Image]]:
    if maps.ndim == 2:
        yield kind, maps.astype(np.uint8)
        return
    for name, values in zip(classes, maps, strict=True):
        # Class names are free text, file names are not.
        yield kind + "_" + re.sub(r"[^\w.-]+", "-", name), values.astype(np.uint8)


def _overlaid(image: Image, prediction: Prediction) -> Image:
    if _is_binary(prediction):
        return contour(overlay(image, prediction.mask, opacity=0.3), prediction.mask, color=SKY)
    if prediction.mask.ndim == 2:
        return overlay_labels(image, prediction.mask)
    # Several labels on one pixel cannot all be shown: the one listed last is on top.
    numbers = np.arange(1, len(prediction.mask) + 1, dtype=np.uint8)[:, None, None]
    return overlay_labels(image, (prediction.mask * numbers).max(axis=0), ignore_index=-1)


def _is_binary(prediction: Prediction) -> bool:
    return prediction.probability.ndim == 2


def _failed(failures: dict[Path, str], total: int) -> SegDistillError:
    named = ", ".join(map(str, list(failures)[:5])) + (", ..." if len(failures) > 5 else "")
    return SegDistillError(
        f"{len(failures)} of {total} files could not be read as images: {named} "
        f"({next(iter(failures.values()))}). The other {total - len(failures)} are done."
    )
