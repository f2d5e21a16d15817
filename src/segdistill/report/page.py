"""What the page shows, as plain values: rows, cells and sentences, so that the template only lays out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from segdistill.report.gain import Gain, gain
from segdistill.report.runs import RunSummary
from segdistill.report.style import Stroke, strokes


@dataclass(frozen=True)
class Network:
    """One row of the tables: a network, trained once or with several seeds.

    Attributes:
        label: Its name.
        role: `"teacher"`, `"baseline"`, `"distilled"` or `""`.
        runs: One per seed.
        stroke: Its colour.
    """

    label: str
    role: str
    runs: tuple[RunSummary, ...]
    stroke: Stroke

    def spread(self, dataset: str, measure: str) -> Spread:
        """Sum up a score on a test set over the seeds."""
        return Spread.of([run.score(dataset, measure) for run in self.runs])

    def chosen(self, which: str, key: str) -> Spread:
        """Sum up a validation score, or the epoch, of the `"best"` or the `"last"` epoch over the seeds."""
        return Spread.of([_number(run.metrics.get(which, {}).get(key)) for run in self.runs])


@dataclass(frozen=True)
class Spread:
    """A mean over seeds and, where there are several, their standard deviation; NaN where unknown."""

    mean: float
    deviation: float = math.nan

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Sum up the values that are numbers."""
        known = [value for value in values if not math.isnan(value)]
        if not known:
            return cls(math.nan)
        return cls(float(np.mean(known)), float(np.std(known, ddof=1)) if len(known) > 1 else math.nan)


@dataclass(frozen=True)
class Comparison:
    """A gain with where to draw it, in per cent of the width of the axis.

    Attributes:
        label: The distilled network.
        against: The baseline.
        gain: The numbers.
        left: Where the interval begins.
        width: How long it is.
        point: Where the mean is.
        zero: Where no difference is.
    """

    label: str
    against: str
    gain: Gain
    left: float
    width: float
    point: float
    zero: float

    @property
    def drawn(self) -> str:
        """What the interval is over."""
        seeds = f" and {self.gain.seeds} seeds" if self.gain.seeds > 1 else ""
        return f"{self.gain.images} images{seeds}"

    @property
    def verdict(self) -> str:
        """What the interval allows to say."""
        if self.gain.low > 0:
            return "better"
        return "worse" if self.gain.high < 0 else "no difference shown"


def networks(summaries: Sequence[RunSummary]) -> list[Network]:
    """Group runs by label, in their order."""
    groups: dict[str, list[RunSummary]] = {}
    for summary in summaries:
        groups.setdefault(summary.label, []).append(summary)
    roles = [runs[0].role for runs in groups.values()]
    return [
        Network(label, role, tuple(runs), stroke)
        for (label, runs), role, stroke in zip(groups.items(), roles, strokes(roles), strict=True)
    ]


def datasets(summaries: Sequence[RunSummary]) -> list[str]:
    """List the test sets of all runs: those with mean scores in their order, then those with scores per image."""
    averaged = [name for summary in summaries for name in summary.metrics.get("tests", {})]
    return list(dict.fromkeys([*averaged, *(name for summary in summaries for name in summary.scores)]))


def protocols(summaries: Sequence[RunSummary]) -> list[str]:
    """List the protocols that the test scores follow."""
    scores = [test for summary in summaries for test in summary.metrics.get("tests", {}).values()]
    return sorted({str(test["protocol"]) for test in scores if test.get("protocol")})


def comparisons(rows: Sequence[Network]) -> list[Comparison]:
    """Compare every distilled network with the first baseline on every test set, all on one axis."""
    baseline = next((row for row in rows if row.role == "baseline"), None)
    if baseline is None:
        return []
    found = [
        (row.label, result)
        for row in rows
        if row.role == "distilled"
        for name in datasets([run for network in rows for run in network.runs])
        if (result := gain(baseline.runs, row.runs, name)) is not None
    ]
    if not found:
        return []
    low, high = min(0.0, *(g.low for _, g in found)), max(0.0, *(g.high for _, g in found))
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return round(4 + 92 * (value - low) / span, 2)

    return [
        Comparison(
            label,
            baseline.label,
            result,
            place(result.low),
            round(place(result.high) - place(result.low), 2),
            place(result.difference),
            place(0.0),
        )
        for label, result in found
    ]


def caveats(compared: Sequence[Comparison]) -> list[str]:
    """Say what the intervals do not know."""
    if not compared:
        return []
    once = [
        "Where one of the two was trained once, the interval tells how much the choice of test images matters; it does "
        "not contain the difference that another seed alone would make."
    ]
    several = [
        "An interval over several seeds is for other seeds and other images like these, as in segdistill compare. Few "
        "seeds tell little about all others, so it is wide."
    ]
    seeds = {each.gain.seeds for each in compared}
    return [
        *(once if 1 in seeds else []),
        *(several if max(seeds) > 1 else []),
        "Images of one patient or sequence resemble each other, which makes the interval too narrow.",
    ]


def first_terms(row: Network) -> list[tuple[str, float, float, float]]:
    """List the loss terms before the first step: name, value, share, norm of the gradient."""
    terms: Mapping[str, Any] = row.runs[0].metrics.get("step0", {})
    return [
        (name, *(_number(term.get(key)) for key in ("value", "share", "gradient")))  # type: ignore[misc]
        for name, term in terms.items()
    ]


def flat(env: Mapping[str, Any]) -> dict[str, str]:
    """List nested facts by their last name; the command is left out, it stands alone.

    Examples:
        >>> flat({"command": "make", "python": "3.11", "gpu": None, "versions": {"torch": "2.6"}})
        {'python': '3.11', 'torch': '2.6'}
    """
    facts: dict[str, str] = {}
    for name, value in env.items():
        if isinstance(value, Mapping):
            facts |= {f"{name} {key}" if key in facts else key: inner for key, inner in flat(value).items()}
        elif value is not None and name != "command":
            facts[name] = str(value)
    return facts


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else math.nan
