"""Prediction maps as the polyp projects lay them out, for their evaluators and for `segdistill score`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError, unknown
from segdistill.export.files import check_unused, make_folder, write_png

EPS = 1e-8


@dataclass(frozen=True)
class Layout:
    """How a project writes maps: `FOLDER/<method>/<set>/<name>.png`.

    Attributes:
        folder: What the project calls the folder of all methods.
        binary: Whether it writes 0 and 255, cut above one half, instead of 256 greys.
    """

    folder: str
    binary: bool = False


LAYOUTS = {
    "pranet": Layout("results"),
    "uacanet": Layout("snapshots", binary=True),
    "kdas": Layout("result_map"),
}


class MapFiles:
    """Writes the foreground of one network, image by image, at the images' own size.

    A grey is the probability times 255, rounded to the nearest whole number and halves to the even one: what protocols
    that read maps score. The projects stretch every map to its own least and largest value first, so that each of them
    shows a polyp, whether there is one or not; here only `stretch` does.

    Args:
        root: Where the layout's folder goes.
        layout: `pranet`, `uacanet` or `kdas`.
        method: What the network is called.
        stretch: Stretch every map to 0 and 1.

    Raises:
        SegDistillError: If there is no such layout.
    """

    def __init__(self, root: Path, layout: str, *, method: str, stretch: bool = False) -> None:
        if layout not in LAYOUTS:
            raise unknown("layout", layout, LAYOUTS)
        self.layout, self.stretch = LAYOUTS[layout], stretch
        self.folder = root / self.layout.folder / method

    def of_set(self, name: str) -> Callable[[str, NDArray[Any]], None]:
        """What writes the maps `(C, H, W)` of one test set; their last channel is the foreground.

        Raises:
            SegDistillError: If the set's folder holds something already.
        """
        folder = check_unused(self.folder / name, "--save")

        def write(image: str, probabilities: NDArray[Any]) -> None:
            write_png(make_folder(folder) / f"{image}.png", self.levels(probabilities))

        return write

    def levels(self, probabilities: NDArray[Any]) -> NDArray[np.uint8]:
        """Probabilities `(C, H, W)` as the greys `(H, W)` of a file.

        Raises:
            SegDistillError: If there is more than one foreground.
        """
        if len(probabilities) > 2:
            raise SegDistillError(
                f"The polyp projects' maps show one foreground, and this network finds {len(probabilities)} classes. "
                f"Leave --save out, or use segdistill predict."
            )
        foreground = probabilities[-1]
        if self.stretch:
            low, high = foreground.min(), foreground.max()
            foreground = (foreground - low) / (high - low + EPS)
        if self.layout.binary:
            foreground = foreground > 0.5
        levels: NDArray[np.uint8] = np.rint(foreground * np.float32(255)).astype(np.uint8)
        return levels
