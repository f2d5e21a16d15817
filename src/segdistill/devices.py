"""Which device a network runs on, by what a user calls it."""

from __future__ import annotations

import torch

from segdistill.core import SegDistillError


def find_device(name: str) -> torch.device:
    """Look up a device.

    Args:
        name: `cpu`, `cuda`, `cuda:1`, `mps`, or `auto` for the fastest that is there.

    Raises:
        SegDistillError: If it is not there.
    """
    kind, colon, number = name.partition(":")
    found = resolve_accelerator(kind if kind == "cuda" else name, what="device")
    if not colon:
        return torch.device(found)
    numbers = [str(index) for index in range(torch.cuda.device_count())]
    if number not in numbers:
        there = ", ".join(f"cuda:{each}" for each in numbers)
        raise SegDistillError(f"device {name!r} is not available here. Take one of {there}.")
    return torch.device(found, int(number))


def resolve_accelerator(name: str, *, what: str = "accelerator") -> str:
    """Choose the kind of device, `auto` meaning the fastest that is there.

    Args:
        name: `cpu`, `cuda`, `mps` or `auto`.
        what: What the user calls it, for messages.

    Raises:
        SegDistillError: If it is not there.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return next(kind for kind, found in there.items() if found)
    if name not in there:
        raise SegDistillError(f"Unknown {what} {name!r}. Known: auto, {', '.join(sorted(there))}.")
    if not there[name]:
        raise SegDistillError(f"{what} {name!r} is not available here. Take 'auto' or 'cpu'.")
    return name


def describe(device: torch.device) -> str:
    """Say where something was measured: a GPU by its model."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def wait_for(device: torch.device) -> None:
    """Let a device finish what it was asked; a processor always has."""
    if device.type in ("cuda", "mps"):
        torch.accelerator.synchronize(device)
