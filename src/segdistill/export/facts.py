"""What a network is, in a few plain values that travel with it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from segdistill.core import unknown

if TYPE_CHECKING:  # an exported file is read without torch
    from segdistill.taps import Tapped
    from segdistill.tasks import Task

TASKS = ("Binary", "Multiclass", "Multilabel")


@dataclass(frozen=True)
class Facts:
    """What a network is.

    Attributes:
        network: Its name.
        parameters: How many it has.
        size: Height and width that it works at; `None` for those of the image.
        task: What its logits mean, a name of `TASKS`.
        classes: Names by index in the mask.
    """

    network: str
    parameters: int
    size: tuple[int, ...] | None
    task: str
    classes: tuple[str, ...]

    @classmethod
    def of(cls, tapped: Tapped, task: Task) -> Facts:
        """Look at a network."""
        count = sum(parameter.numel() for parameter in tapped.net.parameters())
        return cls(_name(tapped), count, tapped.size, type(task).__name__, tuple(task.classes))

    @classmethod
    def from_text(cls, text: str) -> Facts:
        """The way back from `to_text`; what a later version may add is left aside.

        Raises:
            ValueError: If the text is damaged.
            SegDistillError: If a newer version knows a task that this one does not.
        """
        try:
            values = json.loads(text)
            found = cls(
                network=str(values["network"]),
                parameters=int(values["parameters"]),
                size=values["size"] and tuple(map(int, values["size"])),
                task=str(values["task"]),
                classes=tuple(map(str, values["classes"])),
            )
        except (TypeError, KeyError) as error:
            raise ValueError(text) from error
        if found.task not in TASKS:
            raise unknown("task", found.task, TASKS)
        return found

    def to_text(self) -> str:
        """Write all of it on one line, and which version wrote it."""
        return json.dumps({**asdict(self), "version": metadata.version("segdistill")}, ensure_ascii=False)


def _name(tapped: Tapped) -> str:
    spec: Any = (tapped.spec or {}).get("spec")
    if not isinstance(spec, dict):
        return str(spec or type(tapped.net).__name__)
    name, options = next(iter(spec.items()))
    inside = next((str(v) for key, v in (options or {}).items() if key in ("encoder_name", "backbone")), "")
    return f"{name} on {inside}" if inside else str(name)
