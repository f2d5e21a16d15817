"""The polyp benchmark: Kvasir-SEG and CVC-ClinicDB to train on, up to five sets to test on."""

from __future__ import annotations

import warnings
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from segdistill.core import SegDistillError, unknown
from segdistill.data.augment import Augment
from segdistill.data.folder import FolderSet
from segdistill.data.leaks import copies
from segdistill.data.released import ReleasedResize
from segdistill.data.samples import Data, named
from segdistill.data.splits import stored_or_carved
from segdistill.data.stored import stored

CLASSES = ("background", "polyp")

#: The five test sets of the benchmark.
TESTS = ("CVC-300", "CVC-ClinicDB", "CVC-ColonDB", "ETIS-LaribPolypDB", "Kvasir")

# First frame of each of CVC-ClinicDB's 29 sequences, whose 612 frames are numbered through. The ranges are
# those commonly quoted from the data set's description, and were checked against the frames: every range shows
# one scene, and at every cut the frame on either side is nearer in colour to its own range than to the other,
# but for 447/448, which a look tells apart at once. Several sequences may show one patient; who is who was not
# published with the frames.
_CLINIC_STARTS = (
    *(1, 26, 51, 68, 79, 104, 127, 152, 178, 200, 206, 228, 253, 278, 298),
    *(318, 343, 364, 384, 409, 429, 448, 467, 479, 504, 529, 547, 572, 592),
)
_CLINIC_FRAMES = 612


def polyp(
    root: str | Path,
    *,
    val_fraction: float = 0.1,
    seed: int = 0,
    size: int | tuple[int, int] = (256, 256),
    tests: Sequence[str] | None = None,
    cache: str | Path | None = None,
    split: str | Path | None = None,
    augment: Literal["standard", "as_released"] = "standard",
) -> Data:
    """Read `root/TrainDataset` and `root/TestDataset/<set>`, each with `images` and `masks`.

    The benchmark has no validation set, so one is carved from the training set: whole CVC-ClinicDB sequences
    and single Kvasir frames, in the proportion of the two. (The benchmark's own test set of CVC-ClinicDB was
    drawn by frame and shares sequences with training; that is part of its definition and left as it is.)

    Args:
        root: The folder with both.
        val_fraction: The share of training images to validate on.
        seed: The seed of the split.
        size: Side, or (height, width), of training images.
        tests: Test sets by folder name; None takes all there are.
        cache: A folder for decoded images, so that later epochs do not decode.
        split: A JSON file to read the split from if it exists, and to store it in if not.
        augment: `standard`, or `as_released` for what KDAS3's code trains on: images as they are, with masks of shares;
            see `ReleasedResize`.

    Raises:
        SegDistillError: If a folder or file is missing, or a stored split does not fit.

    Warns:
        UserWarning: If a test image is in the training set, too.
    """
    train = polyp_train(root)
    held_out = polyp_tests(root, tests)
    warn_of_copies(train, held_out)
    chosen = stored_or_carved(train, path=split, fraction=val_fraction, seed=seed)
    learn, select = chosen.apply(train)
    released = augment == "as_released"
    prepare = ReleasedResize(size) if released else Augment(size)
    return Data(
        # Stored masks are labels, so shares have to be made from native ones.
        train=stored(learn, cache, size=None if released else prepare.size),
        val=stored(select, cache),
        tests=dict(held_out),
        augment=prepare,
        split=chosen,
    )


def polyp_train(root: str | Path) -> FolderSet:
    """Read `root/TrainDataset`, its ids grouped by CVC-ClinicDB sequence, with the source of each image."""
    train = FolderSet(Path(root) / "TrainDataset", classes=CLASSES, group=sequence_of)
    train.sources = [
        "CVC-ClinicDB" if group.startswith("CVC-ClinicDB") else "Kvasir" for group in train.groups
    ]
    return train


def polyp_tests(root: str | Path, names: Sequence[str] | None = None) -> dict[str, FolderSet]:
    """Read the named test sets, or all, from `root/TestDataset`."""
    folder = Path(root) / "TestDataset"
    if not folder.is_dir():
        raise SegDistillError(
            f"There is no folder {str(folder)!r}; the test sets belong there, one folder each."
        )
    known = sorted(path.name for path in folder.iterdir() if (path / "images").is_dir())
    for name in names or ():
        if name not in known:
            raise unknown("test set", name, known)
    return {
        name: FolderSet(folder / name, classes=CLASSES, group=sequence_of)
        for name in (known if names is None else names)
    }


def sequence_of(name: str) -> str:
    """Return the CVC-ClinicDB sequence of a frame number; any other name is a group of its own.

    Examples:
        >>> sequence_of("27"), sequence_of("cju0qkwl35piu0993l0dewei2")
        ('CVC-ClinicDB sequence 2', 'cju0qkwl35piu0993l0dewei2')
    """
    if not name.isdecimal() or not 1 <= int(name) <= _CLINIC_FRAMES:
        return name
    return f"CVC-ClinicDB sequence {bisect_right(_CLINIC_STARTS, int(name))}"


def warn_of_copies(train: FolderSet, tests: dict[str, FolderSet]) -> None:
    """Warn where a test image has the very bytes of a training image."""
    for name, test in tests.items():
        pairs = copies(train, test)
        if pairs:
            warnings.warn(
                f"{len(pairs)} of {len(test)} images of test set {name!r} are in the training set, too "
                f"({named([there for _, there in pairs])}); scores on them measure memory.",
                stacklevel=3,
            )
