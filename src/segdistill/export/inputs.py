"""What there is to predict, and that no result gets into the way of another file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.export import pictures
from segdistill.export.video import clip, reading
from segdistill.images import decode

SUFFIXES = (*decode.SUFFIXES, *reading.SUFFIXES)

_FRAME = re.compile(r"frame_\d{6,}.*\.png")


def is_video(path: Path) -> bool:
    """Whether a file's name says that it is a video."""
    return path.suffix.lower() in reading.SUFFIXES


def find_inputs(inputs: Iterable[str | Path]) -> list[Path]:
    """List images and videos: files as they are named, folders flat and sorted; one named twice counts once.

    Raises:
        SegDistillError: If a path does not exist, or a folder holds neither.
    """
    found = {file.resolve(): file for path in inputs for file in _files_of(Path(path))}
    if not found:
        raise SegDistillError("There is nothing to predict: name at least one image, video or folder.")
    return list(found.values())


def _files_of(path: Path) -> list[Path]:
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
            f"The folder {path} holds no image or video ({kinds}); its sub-folders are not read.{inner}"
        )
    return files


def check_results(
    files: Sequence[Path], out: Path, extras: Sequence[str], *, classes: Sequence[str], overwrite: bool
) -> None:
    """Refuse results that would share a name, hide an input, or replace what is there, unless that is wanted.

    Args:
        files: Images and videos.
        out: Folder of the results.
        extras: Of `"overlay"` and `"probability"`, what is written besides masks.
        classes: Their names, which end the names of what is written by class.
        overwrite: Whether results may be replaced.

    Raises:
        SegDistillError: If so, before anything is written.
    """
    owners = [(name, file) for file in files for name in _results(file, extras)]
    # Case is folded, because macOS and Windows take A.png and a.png for one file.
    counts = Counter(name.casefold() for name, _ in owners)
    for first, file in owners:
        if counts[first.casefold()] > 1:
            other = next(f for name, f in owners if f != file and name.casefold() == first.casefold())
            raise SegDistillError(
                f"{file} and {other} would both become {first}: predict them into two folders."
            )
    results = [out / name for name, _ in owners]
    sources = {place for f in files for place in (f.resolve(), *f.resolve().parents)}
    if hit := next((path for path in results if path.resolve() in sources), None):
        raise SegDistillError(
            f"The result for {hit} would overwrite the input itself: choose another out folder."
        )
    by_class = [out / name for file in files for name in _of_classes(file, classes, extras)]
    there = [path for path in (*results, *by_class) if path.exists()]
    if there and not overwrite:
        raise SegDistillError(
            f"{out} holds {len(there)} of the results already, such as {there[0].name}: "
            f"choose another folder, or say overwrite."
        )
    for folder in filter(Path.is_dir, there):
        _check_replaceable(folder)


def _results(file: Path, extras: Sequence[str]) -> list[str]:
    if is_video(file):
        return clip.results(file, overlay="overlay" in extras)
    return [f"{file.stem}{suffix}.png" for suffix in ("", *(f"_{kind}" for kind in extras))]


def _of_classes(file: Path, classes: Sequence[str], extras: Sequence[str]) -> list[str]:
    """What a network whose labels overlap writes, or one of many classes."""
    if is_video(file):
        return []
    kinds = ("", *(f"_{kind}" for kind in extras if kind == "probability"))
    return [f"{file.stem}{kind}{pictures.ending(name)}.png" for kind in kinds for name in classes]


def _check_replaceable(folder: Path) -> None:
    # The whole folder is replaced, or frames of a longer clip would stay behind.
    names = sorted(path.name for path in folder.iterdir())
    if names and not folder.with_name(f"{folder.name}.json").is_file():
        raise SegDistillError(
            f"{folder} holds {names[0]}, and no prediction is recorded beside it: "
            f"it would be lost, so choose another folder."
        )
    strange = [name for name in names if not _FRAME.fullmatch(name)]
    if strange:
        raise SegDistillError(
            f"{folder} holds {strange[0]}, which is no frame of a prediction: "
            f"it would be lost, so choose another folder."
        )
