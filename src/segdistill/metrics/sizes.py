"""Scores by how much of the image there is to find: small objects are where students lose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segdistill.core import SegDistillError
from segdistill.metrics.means import mean

#: Shares of the image's pixels that divide small from medium, and medium from large. A square of 2 % has a side of a
#: seventh of the image's. The absolute areas of COCO (32² and 96² pixels, 0.3 % and 3 % of 640x480) would call
#: nearly every polyp large.
LIMITS = (0.02, 0.10)


def by_size(
    rows: Iterable[Mapping[str, Any]], *, measure: str = "dice", limits: tuple[float, float] = LIMITS
) -> dict[str, Any]:
    """Average a score over images with little, some and much to find.

    An image counts once, by all its foreground together.

    Args:
        rows: One per image, with the `measure` and `share`, how much of the image is foreground in the truth.
        measure: Which score.
        limits: Shares that divide small from medium, and medium from large; each belongs to the larger.

    Returns:
        `measure`; `limits`; `buckets`: for `empty` (nothing to find), `small`, `medium` and `large` the edges
        `low` and `high`, how many `images`, and their `mean` (`None` without images).

    Raises:
        SegDistillError: If the limits do not rise, or a row has no such score.

    Examples:
        >>> found = by_size([{"dice": 0.5, "share": 0.01}, {"dice": 0.9, "share": 0.3}])
        >>> found["buckets"]["small"]
        {'low': 0.0, 'high': 0.02, 'images': 1, 'mean': 0.5}
    """
    if not 0 < limits[0] < limits[1] <= 1:
        raise SegDistillError(f"The limits between sizes are two rising shares of the image, got {limits}.")
    edges = {"empty": (0.0, 0.0), "small": (0.0, limits[0]), "medium": limits, "large": (limits[1], 1.0)}
    scores: dict[str, list[float]] = {name: [] for name in edges}
    for row in rows:
        if not {measure, "share"} <= row.keys():
            raise SegDistillError(
                f"Rows need {measure!r} and 'share' to be sorted by size, got {', '.join(row)}."
            )
        scores[bucket(row["share"], limits)].append(row[measure])
    buckets = {
        name: {"low": low, "high": high, "images": len(scores[name]), "mean": mean(scores[name])}
        for name, (low, high) in edges.items()
    }
    return {"measure": measure, "limits": list(limits), "buckets": buckets}


def bucket(share: float, limits: tuple[float, float] = LIMITS) -> str:
    """Name the bucket of an image.

    Examples:
        >>> bucket(0.0), bucket(0.001), bucket(0.02), bucket(0.5)
        ('empty', 'small', 'medium', 'large')
    """
    if share == 0:
        return "empty"
    return "small" if share < limits[0] else "medium" if share < limits[1] else "large"
