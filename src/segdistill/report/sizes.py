"""Scores of small, medium and large objects, from what a run has stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segdistill.report.page import Network, Spread


@dataclass(frozen=True)
class Sizes:
    """Columns of the table for one test set.

    Attributes:
        dataset: Its name.
        buckets: Name and number of images of every bucket that has some.
        limits: Shares of the image that divide small from medium, and medium from large.
    """

    dataset: str
    buckets: tuple[tuple[str, int], ...]
    limits: tuple[float, float]


def columns(rows: Sequence[Network]) -> list[Sizes]:
    """List the test sets for which any run has stored scores by size; the first run says how they are divided."""
    found: dict[str, Sizes] = {}
    for run in (run for row in rows for run in row.runs):
        for name, details in run.details.items():
            if name not in found and (sizes := details.get("sizes")):
                counted = tuple((b, of["images"]) for b, of in sizes["buckets"].items() if of["images"])
                found[name] = Sizes(name, counted, tuple(sizes["limits"]))
    return list(found.values())


def spread(row: Network, sizes: Sizes, bucket: str) -> Spread:
    """Sum up the mean score in a bucket over the seeds; runs that divide sizes otherwise are left out."""
    stored = [run.details.get(sizes.dataset, {}).get("sizes") for run in row.runs]
    return Spread.of(
        [_mean(each, bucket) for each in stored if each and tuple(each["limits"]) == sizes.limits]
    )


def _mean(stored: Mapping[str, Any], bucket: str) -> float:
    mean = stored["buckets"].get(bucket, {}).get("mean")
    return math.nan if mean is None else float(mean)
