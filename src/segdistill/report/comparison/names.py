"""What runs are called in sentences, and what their configurations say of the seed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

# As the engine writes config.yaml. Read as text, since that needs neither PyTorch nor seconds.
_SEED = re.compile(r"(?m)^(training:\n(?:  .*\n)*?  seed: )(\d+)$")


def seed_of(folder: Path) -> int | None:
    """The seed of a run's training, where its `config.yaml` says it."""
    found = _SEED.search(_config(folder))
    return int(found[2]) if found else None


def without_seed(folder: Path) -> str:
    """The configuration of a run but for the seed of its training; empty where there is none."""
    return _SEED.sub(r"\1", _config(folder))


def listed(names: Sequence[str], *, limit: int = 3) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown


def in_common(names: Sequence[str]) -> str:
    """A name for several: the folders they share, or else how they begin.

    Examples:
        >>> in_common(["baseline-0", "baseline-1"]), in_common(["seed0/kd", "seed1/kd"])
        ('baseline', 'kd')
    """
    if len(names) == 1:
        return names[0]
    shared = [part for part in names[0].split("/") if all(part in name.split("/") for name in names)]
    letters = takewhile(lambda each: len(set(each)) == 1, zip(*names, strict=False))
    begin = "".join(first for first, *_ in letters).rstrip("-_./ 0123456789")
    return "/".join(shared) or begin or listed(names)


def _config(folder: Path) -> str:
    file = folder / "config.yaml"
    return file.read_text(encoding="utf-8") if file.is_file() else ""
