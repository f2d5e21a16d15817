"""Peak memory of what a process does: resident memory on a CPU, what torch allocated on CUDA; in MiB."""

from __future__ import annotations

import re
from pathlib import Path

import torch

MIB = 2**20


def held(*, cuda: bool) -> float:
    """What the process holds before it begins; nothing on CUDA, where only its own tensors count."""
    return 0.0 if cuda else resident("VmRSS")


def forget_peak(*, cuda: bool) -> None:
    """Let the peak begin anew."""
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    else:
        Path("/proc/self/clear_refs").write_text("5")


def peak(*, cuda: bool) -> float:
    """The most that was held since then."""
    return torch.cuda.max_memory_allocated() / MIB if cuda else resident("VmHWM")


def resident(field: str) -> float:
    """This process's resident memory: `VmRSS` now, `VmHWM` at its peak."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(), flags=re.MULTILINE)
    if found is None:
        raise SystemExit(f"/proc/self/status has no {field}: resident memory is measured on Linux only.")
    return int(found[1]) / 1024
