"""One recorded loss: its tensors, its arguments, and how a method is run on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from segdistill.core import Output
from segdistill.methods import Method
from segdistill.tasks import Multiclass, Task


@dataclass(frozen=True)
class Case:
    """A recorded loss.

    Attributes:
        args: The original's arguments.
        tensors: Inputs by name; the student's are leaves that gather gradients.
    """

    args: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def __getitem__(self, name: str) -> Tensor:
        return self.tensors[name]

    def run(
        self,
        method: Method,
        student: Mapping[str, Tensor],
        teacher: Mapping[str, Tensor],
        *,
        mask: Tensor | None = None,
        task: Task | None = None,
        load: Callable[[Any], object] = lambda method: None,
    ) -> Tensor:
        """Sum of a method's terms.

        Args:
            method: Not yet built.
            student: Maps by tap; `"logits"` is one of them or does not matter.
            teacher: Likewise.
            mask: Labels, where the method reads them.
            task: What they mean; as many classes as there are logits if not given.
            load: Puts recorded weights into the built method.
        """
        mine, theirs = output(student), output(teacher)
        task = task or Multiclass(tuple(f"class {n}" for n in range(mine.logits.shape[1])))
        method.build(mine, theirs, task)
        load(method)
        labels = torch.zeros(len(mine.logits), *mine.logits.shape[2:]) if mask is None else mask
        return torch.stack(list(method(mine, theirs, labels).values())).sum()


Compute = Callable[[Case], Tensor]


def output(maps: Mapping[str, Tensor]) -> Output:
    """Maps by tap as an `Output`; where no logits are among them, zeros stand in."""
    some = next(iter(maps.values()))
    logits = maps.get("logits", torch.zeros(len(some), 2, *some.shape[2:]))
    return Output(logits, {tap: value for tap, value in maps.items() if tap != "logits"})
