"""Where `evaluate --save` puts the maps of every run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from segdistill.export.layouts import MapFiles

DEFAULT = "pranet"


@dataclass(frozen=True)
class MapPlace:
    """A folder and a layout.

    Attributes:
        root: The folder.
        layout: Whose folders and greys.
        stretch: Whether every map is stretched.
    """

    root: Path
    layout: str
    stretch: bool

    @classmethod
    def asked_for(cls, root: Path | None, layout: str | None, *, stretch: bool) -> Self | None:
        """What the flags ask for; nothing without `--save`.

        Raises:
            SegDistillError: If a flag is set that nothing reads, or there is no such layout.
        """
        if root is None:
            if layout or stretch:
                flag = "--layout" if layout else "--stretch"
                raise SegDistillError(f"{flag} says how maps are written, but none are: add --save DIR.")
            return None
        place = cls(root, layout or DEFAULT, stretch)
        place.of_run("")  # a wrong layout answers before anything is computed
        return place

    def of_run(self, label: str) -> MapFiles:
        """The files of one run."""
        from segdistill.export.layouts import MapFiles
        from segdistill.scoring.results import file_name

        return MapFiles(self.root, self.layout, method=file_name(label), stretch=self.stretch)

    def tell(self, labels: Iterable[str], *, truth: Path) -> None:
        """Say where the maps lie, and how to score them."""
        from segdistill.cli.output import say

        for label in labels:
            folder = self.of_run(label).folder
            command = ["segdistill", "score", "--pred", folder, "--gt", truth, "--protocol", "pranet-py"]
            say(f"Wrote maps to {folder}: {shlex.join(map(str, command))}")
