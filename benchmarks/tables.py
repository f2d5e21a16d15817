"""Numbers of several seeds as Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any


def summary(values: Sequence[float]) -> dict[str, Any]:
    """Mean and sample standard deviation."""
    return {
        "mean": statistics.fmean(values),
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "values": list(values),
    }


def one(value: dict[str, Any]) -> str:
    """A mean, and its deviation where there is one."""
    mean = share(value["mean"])
    return mean if value["sd"] is None else f"{mean} ± {share(value['sd'])}"


def share(value: float) -> str:
    """A score between 0 and 1 without its zero, as the field prints them."""
    return f"{value:.3f}".removeprefix("0")


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))
