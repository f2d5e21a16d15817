"""Pairs of label volumes on one grid, with the size of a voxel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.scoring.images import Grid, Sample
from segdistill.scoring.nifti import NIFTI, DamagedError, first_non_finite
from segdistill.scoring.pairs import Pair
from segdistill.scoring.values import UnreadableError

_POINTER = b"version https://git-lfs"
_TOLERANCE = 1e-3  # mm, and entries of the direction matrix: what a header of 32 bits may lose


class Volume(NamedTuple):
    """A volume of labels, or an image.

    Attributes:
        values: Axes in the order z, y, x of the file. Labels are integers; or probabilities, where they may stand for
            labels.
        grid: Size, spacing, origin and direction as the file says, axes in the order x, y, z.
    """

    values: NDArray[Any]
    grid: Grid

    def in_slices(self) -> tuple[NDArray[Any], tuple[float, ...]]:
        """Values and the size of a voxel in mm, axial slices first, in whatever order the file has its axes."""
        slices = axial(self.grid["direction"])
        spacing = list(self.grid["spacing"][::-1])
        spacing.insert(0, spacing.pop(slices))
        return np.moveaxis(self.values, slices, 0), tuple(spacing)


@dataclass(frozen=True)
class VolumeReader:
    """Reads pairs of volumes that lie on the same grid; there is no resizing.

    Args:
        probabilities: Whether predictions may hold probabilities of the foreground instead of labels.
    """

    rule: ClassVar[str] = ""

    probabilities: bool = False

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair as class indices `(D, H, W)`, axial slices first, in whatever order a file has its axes.

        Raises:
            SegDistillError: If a file is broken, holds no labels, or the two lie on different grids.
        """
        predicted = read_volume(pair.predicted, probabilities=self.probabilities)
        target = read_volume(pair.target)
        if other := difference(predicted.grid, target.grid):
            raise SegDistillError(
                f"The prediction {str(pair.predicted)!r} {other}; write predictions on the grid of the original volume."
            )
        labels, spacing = target.in_slices()
        return Sample(predicted._replace(grid=target.grid).in_slices()[0], labels, spacing, grid=target.grid)


def difference(found: Grid, wanted: Grid) -> str:
    """What is another in a grid than in that of the true mask, in words; nothing where they are one."""
    for what, values in found.items():
        if not np.allclose(values, wanted[what], rtol=0, atol=_TOLERANCE):
            return f"has the {what} {_listed(values)}, its mask {_listed(wanted[what])}"
    return ""


def axial(direction: Sequence[float]) -> int:
    """Which axis (z, y, x of the file) goes from slice to slice of a scan: the one most along the body.

    KiTS has its slices first in the file, which are last in memory; LiTS has them the other way round. Spacing does not
    tell: slices of either may be thinner than their pixels are wide.

    Args:
        direction: Matrix of the file, row by row; each column is an axis x, y, z.

    Examples:
        >>> axial((1, 0, 0, 0, 1, 0, 0, 0, 1)), axial((0, 0, -1, 0, -1, 0, -1, 0, 0))
        (0, 2)
    """
    along = np.abs(direction[6:])
    return 2 - int(np.argmax(along))


def read_volume(path: Path, *, probabilities: bool = False) -> Volume:
    """Read a label volume.

    Args:
        path: A file that SimpleITK reads.
        probabilities: Whether numbers from 0 to 1 may stand for labels.

    Raises:
        UnreadableError: If the file is broken, cut off, or stands for another.
        SegDistillError: If SimpleITK is not installed, the file is no volume, or its values are no labels.
    """
    volume, non_finite = _read(path)
    if non_finite is not None:
        raise _no_label(non_finite, path)
    if probabilities and _are_probabilities(volume.values):
        return volume
    return volume._replace(values=_labels(volume.values, path))


def read_scan(path: Path) -> Volume:
    """Read the image of a case, whatever its values; what is no number may be anything.

    Raises:
        UnreadableError: If the file is broken, cut off, or stands for another.
        SegDistillError: If SimpleITK is not installed, or the file is no volume.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[Volume, float | None]:
    """A volume as its file has it, and the first value that is no finite number."""
    itk = _itk()
    try:
        non_finite = _check(path)
        image = itk.ReadImage(str(path))
    except (RuntimeError, OSError, DamagedError) as error:
        why = str(error).strip().splitlines()[-1].strip().rstrip(".!")
        raise UnreadableError(
            f"Cannot read {str(path)!r}: {why}; replace the file or take it out."
        ) from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise SegDistillError(
            f"{str(path)!r} is no volume of three dimensions: its size is {image.GetSize()}."
        )
    grid = {
        "size": image.GetSize(),
        "spacing": image.GetSpacing(),
        "origin": image.GetOrigin(),
        "direction": image.GetDirection(),
    }
    return Volume(itk.GetArrayFromImage(image), grid), non_finite


def _check(path: Path) -> float | None:
    """Refuse a file that ITK would read, with something else in it; give a value that is no finite number.

    Raises:
        DamagedError: If it is a pointer, cut off or damaged.
    """
    with path.open("rb") as file:
        if file.read(len(_POINTER)) == _POINTER:
            raise DamagedError(
                "it is a pointer of Git LFS and not the volume itself (git lfs pull fetches that)"
            )
    if path.name.lower().endswith(NIFTI):
        return first_non_finite(path)
    return None


def _are_probabilities(values: NDArray[Any]) -> bool:
    """Whether values lie from 0 to 1, some of them between."""
    inside = values.dtype.kind == "f" and values.min() >= 0 and values.max() <= 1
    return bool(inside and (values != np.rint(values)).any())


def _labels(values: NDArray[Any], path: Path) -> NDArray[Any]:
    low, high = values.min(), values.max()
    whole = values.dtype.kind in "iu" or bool(np.isfinite(low + high) and (values == np.rint(values)).all())
    if not whole or not -(2**31) <= low <= high < 2**31:
        wrong = (values != np.rint(values)) | ~(np.abs(values) < 2**31)
        raise _no_label(float(values[wrong][0]), path)
    return values.astype(np.uint8 if low >= 0 and high < 256 else np.int32, copy=False)


def _no_label(value: float, path: Path) -> SegDistillError:
    return SegDistillError(
        f"{str(path)!r} holds {value:g}, which is no label; save class indices, not probabilities."
    )


def _listed(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


def _itk() -> Any:
    try:
        return import_module("SimpleITK")
    except ImportError:
        raise SegDistillError(
            "Volumes are read by SimpleITK, which is not installed: pip install segdistill[medical]"
        ) from None
