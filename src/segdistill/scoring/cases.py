"""What a file is called: by itself, or, in folders of volumes, by the case that it shows.

Projects name the volumes of a case by what they are: `segmentation-0`, `prediction_00000`, `case_00000/segmentation`.
Without such words, what is left is the case's key, and pairs masks with predictions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from segdistill.core import SegDistillError

#: Endings of files with one volume each.
VOLUMES = (".nii.gz", ".nii", ".mha", ".nrrd")

Files = dict[str, Path]
Kind = Literal["labels", "image", ""]

_LABELS = {"segmentation", "seg", "prediction", "pred", "label", "labels", "mask"}
_IMAGES = {"volume", "imaging", "image"}
_ANY = {"case", "test"}
_WORDS = re.compile(r"[^\W_]+")  # letters and digits, without the underscore


def case_key(name: str) -> str:
    """The name without the words that say what the file is; empty if there are no others.

    Examples:
        >>> [
        ...     case_key(name)
        ...     for name in ("test-segmentation-0", "volume-0", "case_00000", "prediction", "liver_seg_7")
        ... ]
        ['0', '0', '00000', '', 'liver-7']
    """
    dropped = _LABELS | _IMAGES | _ANY
    return "-".join(word for word in _words(name) if word.lower() not in dropped)


def kind_of(name: str) -> Kind:
    """What a name says that the file is; nothing, mostly."""
    words = {word.lower() for word in _words(name)}
    return "labels" if words & _LABELS else "image" if words & _IMAGES else ""


def stem(path: Path, suffixes: Sequence[str]) -> str | None:
    """The name of a file without its ending; `None` if it ends otherwise, or is hidden."""
    lower = path.name.lower()
    ending = next((suffix for suffix in suffixes if lower.endswith(suffix)), "")
    return path.name[: -len(ending)] if ending and not lower.startswith(".") else None


def files_in(folder: Path, suffixes: Sequence[str]) -> Files:
    """Files that count, by name.

    Volumes may lie in one folder per case (`case_00000/segmentation.nii.gz`), which then gives the name. Images
    (`volume-0`, `imaging`) are left out where there are labels beside them.

    Raises:
        SegDistillError: If two share a name.
    """
    found: Files = {}
    for name, path in each_file(folder, suffixes):
        if name in found:
            first, second = (str(each.relative_to(folder)) for each in (found[name], path))
            raise SegDistillError(f"{first!r} and {second!r} in {str(folder)!r} share a name; keep one.")
        found[name] = path
    return _without_images(found) if suffixes == VOLUMES else found


def each_file(folder: Path, suffixes: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Names and files, images beside labels included."""
    for path in sorted(folder.iterdir()):
        if path.is_file():
            if name := stem(path, suffixes):
                yield name, path
        elif suffixes == VOLUMES and path.is_dir() and not path.name.startswith("."):
            inner = [(stem(file, suffixes), file) for file in sorted(path.iterdir()) if file.is_file()]
            yield from ((path.name, file) for name, file in inner if name and _is_part(name))


def scans_in(folder: Path) -> Files:
    """Images of cases: volumes that no name calls labels, or one per folder of a case that a name calls an image."""
    found: Files = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            inner = [file for file in sorted(path.iterdir()) if kind_of(stem(file, VOLUMES) or "") == "image"]
            if inner:
                found[path.name] = inner[0]
        elif (name := stem(path, VOLUMES)) and kind_of(name) != "labels":
            found[name] = path
    return found


def of_case(case: str, files: Files) -> Path | None:
    """The file of a case: of its name, or the only one of its key."""
    same = [path for name, path in files.items() if case_key(name) == case_key(case)]
    return files.get(case) or (same[0] if len(same) == 1 else None)


def is_case(folder: Path, suffixes: Sequence[str]) -> bool:
    """Whether a folder is that of one case, not that of a set."""
    return suffixes == VOLUMES and any(_is_part(name) for name, _ in each_file(folder, suffixes))


def _is_part(name: str) -> bool:
    """Whether a name says what the file is, and nothing of the case."""
    return kind_of(name) == "labels" and not case_key(name)


def _without_images(files: Files) -> Files:
    if not any(kind_of(stem(path, VOLUMES) or "") == "labels" for path in files.values()):
        return files
    return {name: path for name, path in files.items() if kind_of(name) != "image"}


def _words(name: str) -> list[str]:
    return _WORDS.findall(name)
