"""A memory of what the teacher saw, by class."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import SegDistillError


class Bank(nn.Module):
    """The latest vectors of every class: a ring for each, in which a new one replaces the oldest.

    It is saved with a checkpoint. Under DDP every process adds what it sees, and the first one's bank is everybody's.

    Args:
        classes: How many rings.
        slots: Vectors per ring.
        width: Numbers per vector.
        device: Where it lies.

    Attributes:
        vectors: `(classes, slots, width)`.
        seen: `(classes,)`, how many vectors were ever added.
    """

    vectors: Tensor
    seen: Tensor

    def __init__(self, classes: int, slots: int, width: int, *, device: torch.device) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(classes, slots, width, device=device))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.int64, device=device))

    @property
    def filled(self) -> Tensor:
        """How many vectors each class has, `(classes,)`."""
        return self.seen.clamp(max=self.vectors.shape[1])

    @torch.no_grad()
    def add(self, vectors: Tensor, classes: Tensor) -> None:
        """Add vectors, the oldest first.

        Args:
            vectors: `(N, width)`.
            classes: `(N,)`, the ring of each.
        """
        slots = self.vectors.shape[1]
        among = F.one_hot(classes, len(self.seen))
        total = among.sum(dim=0)
        rank = (among.cumsum(dim=0) - 1).gather(1, classes[:, None])[:, 0]
        last = (
            rank >= total[classes] - slots
        )  # more than a ring holds: the earlier would be overwritten anyway
        slot = (self.seen[classes] + rank) % slots
        self.vectors[classes[last], slot[last]] = vectors[last].to(self.vectors)
        self.seen += total

    def draw(self, count: int) -> Tensor:
        """Different vectors, up to `count` per class, `(n, width)`; none of a class that was never seen."""
        order = torch.rand(self.vectors.shape[:2], device=self.seen.device)
        empty = torch.arange(order.shape[1], device=order.device) >= self.filled[:, None]
        keys, slot = order.masked_fill(empty, -1).topk(min(count, order.shape[1]), dim=1)
        rows = torch.arange(len(keys), device=keys.device)[:, None].expand_as(slot)
        return self.vectors[rows[keys >= 0], slot[keys >= 0]]


def check_room(owner: str, floats: int, device: torch.device, *, contents: str, options: str) -> None:
    """Refuse a bank that does not fit, rather than be killed when it fills.

    Args:
        owner: The method, for the message.
        floats: How many numbers the bank holds.
        device: Where it would lie.
        contents: What they are.
        options: What makes them fewer.

    Raises:
        SegDistillError: Naming both sizes.
    """
    need, free = 4 * floats, free_memory(device)
    if free is not None and need > free:
        raise SegDistillError(
            f"{owner}'s memory of {contents} needs {need / 1e9:,.1f} GB, but {free / 1e9:,.1f} GB are free on "
            f"{device}: lower {options}."
        )


def free_memory(device: torch.device) -> int | None:
    """Bytes that can still be taken, `None` where the system does not say."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    available = next(line for line in lines if line.startswith("MemAvailable:"))
    return min(int(available.split()[1]) * 1024, *map(_free_in_container, _CONTAINERS))


class _Container(NamedTuple):
    """Where a control group says what it may take, what it has taken, and what of that are files that can go."""

    folder: Path
    limit: str
    usage: str
    files: str


_CONTAINERS = (
    _Container(Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    _Container(
        Path("/sys/fs/cgroup/memory"),
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)
_UNLIMITED = 2**63


def _free_in_container(container: _Container) -> int:
    try:
        limit, usage, stat = (
            (container.folder / name).read_text().strip()
            for name in (container.limit, container.usage, "memory.stat")
        )
    except OSError:
        return _UNLIMITED
    if limit == "max":
        return _UNLIMITED
    files = dict(line.split() for line in stat.splitlines()).get(container.files, 0)
    return max(0, int(limit) - int(usage) + int(files))
