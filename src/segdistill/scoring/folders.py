"""Which folders hold the sets: one flat folder, or a sub-folder per set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from segdistill.core import SegDistillError, unknown
from segdistill.data.samples import named
from segdistill.images.decode import SUFFIXES
from segdistill.scoring.cases import each_file, is_case

#: Endings of files with one map or mask each.
IMAGES = (*SUFFIXES, ".npy")
#: What a set is called where there is only one.
FLAT = "all"


class Folders(NamedTuple):
    """Where the predictions of one set lie, and its true masks."""

    predicted: Path
    target: Path


class Sets(NamedTuple):
    """Folders by set.

    Attributes:
        folders: What is scored.
        missing: Sets of the ground truth that have no predictions.
    """

    folders: dict[str, Folders]
    missing: tuple[str, ...] = ()


def find_sets(predicted: Path, target: Path, suffixes: Sequence[str]) -> Sets:
    """Match the folders of predictions with those of true masks.

    Predictions are `DIR/*` (one set, called `all`) or `DIR/<set>/*`; true masks are `DIR/*` or `DIR/masks/*`,
    and `DIR/<set>/*` or `DIR/<set>/masks/*`. For a file of a volume may stand the folder of its case.

    Args:
        predicted: The folder of predictions.
        target: The folder of true masks.
        suffixes: Endings of the files that count.

    Raises:
        SegDistillError: If a folder is missing or empty, a set has no true masks, or files lie on both levels.
    """
    for folder in (predicted, target):
        if not folder.is_dir():
            raise SegDistillError(f"There is no folder {str(folder)!r}.")
    inner = [
        path for path in _subfolders(predicted) if has_files(path, suffixes) and not is_case(path, suffixes)
    ]
    if has_files(predicted, suffixes):
        return Sets({FLAT: Folders(predicted, _flat_masks(predicted, target, inner, suffixes))})
    if not inner:
        raise nothing_in(predicted, suffixes, "predictions")
    known = {path.name: path for path in _subfolders(target)}
    if has_files(masks_in(target), suffixes):
        raise SegDistillError(
            f"{str(predicted)!r} holds one folder per set ({named([path.name for path in inner])}), "
            f"{str(target)!r} the masks of one set; name folders of the same kind."
        )
    for path in inner:
        if path.name not in known:
            raise unknown(f"set of {str(target)!r}", path.name, known)
    folders = {path.name: Folders(path, masks_in(known.pop(path.name))) for path in inner}
    missing = (name for name, path in known.items() if has_files(masks_in(path), suffixes))
    return Sets(folders, tuple(missing))


def has_files(folder: Path, suffixes: Sequence[str]) -> bool:
    """Whether any file in a folder counts."""
    return folder.is_dir() and any(True for _ in each_file(folder, suffixes))


def masks_in(folder: Path) -> Path:
    """Its sub-folder `masks`, if there is one, or the folder itself."""
    return folder / "masks" if (folder / "masks").is_dir() else folder


def nothing_in(folder: Path, suffixes: Sequence[str], what: str) -> SegDistillError:
    """A folder without a file that counts, and what it holds instead."""
    held = named(sorted(path.name for path in folder.iterdir()), limit=3) or "nothing"
    return SegDistillError(f"{str(folder)!r} holds no {what} ({', '.join(suffixes)}); it holds {held}.")


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _flat_masks(predicted: Path, target: Path, inner: Sequence[Path], suffixes: Sequence[str]) -> Path:
    if inner:
        raise SegDistillError(
            f"{str(predicted)!r} holds predictions itself and in {named([path.name for path in inner])}; "
            "name one of these folders, or move its files into a folder of their own."
        )
    masks = masks_in(target)
    if has_files(masks, suffixes):
        return masks
    sets = [path.name for path in _subfolders(masks) if has_files(masks_in(path), suffixes)]
    if sets:
        raise SegDistillError(
            f"{str(predicted)!r} holds the predictions of one set, {str(target)!r} one folder per set "
            f"({named(sets)}); name the folder of one."
        )
    raise nothing_in(masks, suffixes, "true masks")
