"""Random numbers that depend on names, not on workers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def stable_seed(*parts: object) -> int:
    """Turn values into a seed that is the same on every machine and in every process.

    Examples:
        >>> stable_seed(0, 1, "a") == stable_seed(0, 1, "a")
        True
    """
    text = "/".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1  # torch wants 63 bits


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator inside the block and put its state back after it.

    `torch.manual_seed` would seed the accelerators too, under the feet of a training in the same process.
    """
    state = torch.default_generator.get_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.default_generator.set_state(state)
