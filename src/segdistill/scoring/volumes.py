"""Pairs of label volumes on one grid, with the size of a voxel."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError
from segdistill.scoring.images import Sample
from segdistill.scoring.pairs import Pair
from segdistill.scoring.values import UnreadableError

_TOLERANCE = 1e-3  # mm, and entries of the direction matrix: what a header of 32 bits may lose


class Volume(NamedTuple):
    """A label volume.

    Attributes:
        labels: `(D, H, W)` integers.
        grid: Size, spacing, origin and direction as the file says, axes in the order x, y, z.
    """

    labels: NDArray[Any]
    grid: dict[str, tuple[float, ...]]


class VolumeReader:
    """Reads pairs of volumes that lie on the same grid; there is no resizing."""

    rule: ClassVar[str] = ""

    def __call__(self, pair: Pair) -> Sample:
        """Read a pair as class indices `(D, H, W)`.

        Raises:
            SegDistillError: If a file is broken, holds no labels, or the two lie on different grids.
        """
        predicted, target = read_volume(pair.predicted), read_volume(pair.target)
        for what, values in predicted.grid.items():
            expected = target.grid[what]
            if not np.allclose(values, expected, rtol=0, atol=_TOLERANCE):
                raise SegDistillError(
                    f"The prediction {str(pair.predicted)!r} has the {what} {_listed(values)}, its mask "
                    f"{_listed(expected)}; write predictions on the grid of the original volume."
                )
        return Sample(predicted.labels, target.labels, tuple(target.grid["spacing"][::-1]))


def read_volume(path: Path) -> Volume:
    """Read a label volume.

    Raises:
        UnreadableError: If the file is broken.
        SegDistillError: If SimpleITK is not installed, the file is no volume, or its values are no labels.
    """
    itk = _itk()
    try:
        image = itk.ReadImage(str(path))
    except RuntimeError as error:
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
    return Volume(_labels(itk.GetArrayFromImage(image), path), grid)


def _labels(values: NDArray[Any], path: Path) -> NDArray[Any]:
    low, high = values.min(), values.max()
    whole = values.dtype.kind in "iu" or bool(np.isfinite(low + high) and (values == np.rint(values)).all())
    if not whole or not -(2**31) <= low <= high < 2**31:
        raise SegDistillError(
            f"{str(path)!r} holds {_no_label(values):g}, which is no label; save class indices, not probabilities."
        )
    return values.astype(np.uint8 if low >= 0 and high < 256 else np.int32, copy=False)


def _no_label(values: NDArray[Any]) -> float:
    wrong = (values != np.rint(values)) | ~(np.abs(values) < 2**31)
    return float(values[wrong][0])


def _listed(values: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"


def _itk() -> Any:
    try:
        return import_module("SimpleITK")
    except ImportError:
        raise SegDistillError(
            "Volumes are read by SimpleITK, which is not installed: pip install segdistill[medical]"
        ) from None
