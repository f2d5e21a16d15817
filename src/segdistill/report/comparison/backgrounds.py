"""Images below the outlines of scored files, which know of none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from segdistill.core import SegDistillError
from segdistill.images.decode import SUFFIXES, read_image
from segdistill.report.comparison.differences import Difference
from segdistill.report.comparison.slices import grey
from segdistill.report.comparison.sources import Source
from segdistill.scoring.cases import files_in, of_case, scans_in
from segdistill.scoring.images import Grid
from segdistill.scoring.volumes import difference, read_scan
from segdistill.viz import Image


class Backgrounds:
    """The images of the cases of one test set, from a folder of images or of volumes.

    Args:
        folder: Where they are; without one there are none.
        required: Whether every case must have one.
        volumes: Whether cases are volumes.
    """

    def __init__(self, folder: Path | None, *, required: bool, volumes: bool) -> None:
        self.folder, self.required, self.volumes = folder, required, volumes
        self.files = {} if folder is None else scans_in(folder) if volumes else files_in(folder, SUFFIXES)

    def image(self, case: str, shape: tuple[int, ...]) -> Image | None:
        """The image of a case; `None` where there is none and need not be.

        Raises:
            SegDistillError: If there has to be one, it cannot be read, or has another shape than the true mask.
        """
        path = self._find(case)
        if path is None:
            return None
        image = read_image(path)
        if image.shape[:2] != shape:
            _refuse(path, "is {}x{}, its true mask {}x{}".format(*image.shape[:2], *shape))
        return image

    def slice(self, case: str, grid: Grid, index: int) -> Image | None:
        """One slice of the volume of a case, in greys; otherwise like `image`, with all of the grid for the shape."""
        path = self._find(case)
        if path is None:
            return None
        scan = read_scan(path)
        if other := difference(scan.grid, grid):
            _refuse(path, other)
        return grey(scan.in_slices()[0], index)

    def _find(self, case: str) -> Path | None:
        path = of_case(case, self.files) if self.volumes else self.files.get(case)
        if path is None and self.required:
            raise SegDistillError(
                f"{str(self.folder)!r} holds no image of {case!r}; name one that does with --data, or leave it out."
            )
        return path


def open_backgrounds(found: Difference, runs: Iterable[Source], folder: Path | None) -> Backgrounds:
    """Find the images of a test set.

    Args:
        found: What is compared there.
        runs: Of both sides.
        folder: With the images, or `images/`, in it or in a folder called like the test set; those beside the true
            masks of the runs if not given.

    Raises:
        SegDistillError: If there is no such folder.
    """
    volumes = found.unit == "cases"
    if folder is None:
        beside = next(filter(None, (_beside(run, found.dataset) for run in runs)), None)
        return Backgrounds(beside, required=False, volumes=volumes)
    if not folder.is_dir():
        raise SegDistillError(f"There is no folder {str(folder)!r}.")
    for inner in (found.dataset, "images"):
        folder = folder / inner if (folder / inner).is_dir() else folder
    return Backgrounds(folder, required=True, volumes=volumes)


def _beside(run: Source, dataset: str) -> Path | None:
    """The images beside true masks that were scored, where `images` and `masks` are neighbours."""
    masks = Path(str(run.tables[dataset].files.get("gt", "")))
    images = masks.with_name("images") if masks.name == "masks" else None
    return images if images and images.is_dir() else None


def _refuse(path: Path, why: str) -> NoReturn:
    raise SegDistillError(f"The image {str(path)!r} {why}; name those that were segmented with --data.")
