"""A user's own data: one folder of pairs, or one each for training, validation and test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from segdistill.core import SegDistillError
from segdistill.data.augment import Augment
from segdistill.data.folder import BINARY, FolderSet
from segdistill.data.groups import Grouping
from segdistill.data.samples import Data, named
from segdistill.data.splits import stored_or_carved
from segdistill.data.stored import stored

_VAL = ("val", "valid", "validation")


def folders(
    root: str | Path,
    *,
    classes: Sequence[str] = BINARY,
    val_fraction: float = 0.1,
    seed: int = 0,
    size: int | tuple[int, int] = (256, 256),
    tests: Sequence[str] | None = None,
    cache: str | Path | None = None,
    split: str | Path | None = None,
    images: str = "images",
    masks: str = "masks",
    threshold: int | None = 128,
    ignore_index: int | None = 255,
    group: Grouping = None,
    mask_suffix: str = "",
) -> Data:
    """Read `root/{images,masks}`, or `root/train`, `root/val` and `root/test`, each with both.

    Where there is no `val`, it is carved from the training set by group.

    Args:
        root: The folder with the data.
        classes: Class names by index, the background first.
        val_fraction: The share of training images to validate on, where there is no `val`.
        seed: The seed of that split.
        size: Side, or (height, width), of training images.
        tests: Test folders below `root`, such as `test/far`, whose scores are then called `test-far`; None takes
            `test`, or every set of pairs in it, if there is one.
        cache: A folder for decoded images, so that later epochs do not decode.
        split: A JSON file to read the split from if it exists, and to store it in if not.
        images: Sub-folder of images.
        masks: Sub-folder of masks.
        threshold: See `FolderSet`.
        ignore_index: See `FolderSet`.
        group: See `group_by_name`.
        mask_suffix: See `FolderSet`.

    Raises:
        SegDistillError: If a folder or file is missing, or a stored split does not fit.
    """
    base = Path(root)

    def read(folder: Path) -> FolderSet:
        return FolderSet(
            folder,
            images=images,
            masks=masks,
            classes=classes,
            threshold=threshold,
            ignore_index=ignore_index,
            group=group,
            mask_suffix=mask_suffix,
        )

    train = read(_train_folder(base, images))
    held_out = {name: read(folder) for name, folder in _test_folders(base, images, tests).items()}
    augment = Augment(size)
    own = next((base / name for name in _VAL if (base / name / images).is_dir()), None)
    if own is not None:
        val = stored(read(own), cache)
        return Data(stored(train, cache, size=augment.size), val, dict(held_out), augment)
    chosen = stored_or_carved(train, path=split, fraction=val_fraction, seed=seed)
    learn, select = chosen.apply(train)
    return Data(
        stored(learn, cache, size=augment.size), stored(select, cache), dict(held_out), augment, chosen
    )


def _train_folder(base: Path, images: str) -> Path:
    for folder in (base / "train", base):
        if (folder / images).is_dir():
            return folder
    if not base.is_dir():
        raise SegDistillError(f"There is no folder {str(base)!r}.")
    held = named(sorted(path.name for path in base.iterdir()), limit=5) or "nothing"
    raise SegDistillError(
        f"{str(base)!r} has neither {images!r} nor 'train/{images}', it holds {held}; "
        "name the folders with images= and masks=."
    )


def _test_folders(base: Path, images: str, tests: Sequence[str] | None) -> dict[str, Path]:
    if tests is not None:
        return {name.strip("/").replace("/", "-"): base / name for name in tests}
    test = base / "test"
    if (test / images).is_dir():
        return {"test": test}
    if not test.is_dir():
        return {}
    return {path.name: path for path in sorted(test.iterdir()) if (path / images).is_dir()}
