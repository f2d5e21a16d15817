"""How a field scores, frozen under a name: a number without its protocol cannot be compared."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from segdistill.core import unknown
from segdistill.metrics.base import Metric
from segdistill.tasks import Task

#: What a protocol is fed with. `map`: foreground `(H, W)`, uint8 or floats in [0, 1]; `mask`: class indices `(H, W)`;
#: `volume`: class indices `(D, H, W)` with the size of a voxel in millimetres.
Reads = Literal["map", "mask", "volume"]
#: The two files of a pair.
Side = Literal["prediction", "mask"]


@dataclass(frozen=True)
class Protocol:
    """What has to be the same before two numbers may stand in one table.

    A family of protocols is a subclass with the choices that tell its members apart.

    Args:
        name: Name in reports.
        version: Changes with every change of a result.
        empty: What an image counts that has nothing to find.
        resize: At which size masks are compared.
        reference: Who scores like this.
        notes: Traps that stay with the numbers.
        first_channel_of: Files in colour that are read by their channel 0, as its originals do it. Those of a side
            that is not named are refused where the channels differ: in a true mask, on what is foreground.
    """

    reads: ClassVar[Reads]

    name: str
    version: int
    empty: str
    resize: str
    reference: str
    notes: tuple[str, ...] = ()
    first_channel_of: tuple[Side, ...] = ()

    @abstractmethod
    def metric(self, task: Task | None = None) -> Metric:
        """Make an empty metric that scores like this.

        Args:
            task: What the labels mean, where the protocol does not fix it.

        Raises:
            SegDistillError: If the protocol does not score such a task.
        """

    @property
    def takes_probabilities(self) -> bool:
        """Whether a predicted volume may hold probabilities of the foreground, which it cuts itself."""
        return False

    @property
    def resizes_images(self) -> bool:
        """Whether its originals bring the image to the size of `size_for`, too, before a network sees it."""
        return False

    def size_for(self, size: tuple[int, ...]) -> tuple[int, ...]:
        """At which size the prediction of an image of some size is compared: its own, mostly."""
        return size

    def check_empty(self, *known: str) -> None:
        """Refuse a rule for empty masks that the family does not know.

        Raises:
            SegDistillError: Naming the nearest.
        """
        if self.empty not in known:
            raise unknown("rule for empty masks", self.empty, known)
