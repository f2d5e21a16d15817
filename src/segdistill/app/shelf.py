"""Results in memory, for as many users as there is room: where there is none, the oldest goes first."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence

from segdistill.app.finding import Found


class Slot:
    """Place of the results that one user looks at.

    Attributes:
        results: They; nothing once they had to go.
    """

    def __init__(self, results: Sequence[Found]) -> None:
        self.results = tuple(results)

    @property
    def size(self) -> int:
        """Bytes of the arrays."""
        return sum(found.size for found in self.results)


class Shelf:
    """Hands out slots, and empties old ones. It does not own them: one that its user drops is gone.

    Args:
        megabytes: Of all slots together; the newest stays, however large.
    """

    def __init__(self, megabytes: int) -> None:
        self._bytes = megabytes * 10**6
        self._slots: list[weakref.ref[Slot]] = []
        self._lock = threading.Lock()

    def keep(self, results: Sequence[Found]) -> Slot:
        """Put results into a new slot."""
        slot = Slot(results)
        with self._lock:
            slots = [*(old for ref in self._slots if (old := ref())), slot]
            while len(slots) > 1 and sum(each.size for each in slots) > self._bytes:
                slots.pop(0).results = ()
            self._slots = [weakref.ref(each) for each in slots]
        return slot
