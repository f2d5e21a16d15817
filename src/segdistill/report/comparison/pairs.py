"""Scores of both sides, image by image and seed by seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.core import SegDistillError, unknown
from segdistill.report.comparison.names import listed
from segdistill.report.comparison.sides import Sides
from segdistill.report.comparison.sources import Source, Table

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Pairs:
    """What both sides scored on one test set by one protocol.

    Attributes:
        dataset: Name of the test set.
        protocol: Name of the protocol.
        version: Of the protocol.
        unit: `"images"` or `"cases"`.
        ids: Their names, sorted.
        a: `(seeds, ids)` by measure; NaN where there is no score.
        b: The same of the other side.
        pooled: Measures whose score of the set is no mean over rows.
        alone: Measures that only some of the runs have.
    """

    dataset: str
    protocol: str
    version: int
    unit: str
    ids: tuple[str, ...]
    a: Mapping[str, Array]
    b: Mapping[str, Array]
    pooled: frozenset[str] = frozenset()
    alone: tuple[str, ...] = ()

    def compared(self, measure: str) -> NDArray[np.bool_]:
        """At which ids all runs of both sides have a score."""
        return np.logical_not(np.isnan(self.a[measure]).any(axis=0) | np.isnan(self.b[measure]).any(axis=0))


def collect(sides: Sides, measures: Sequence[str] | None = None) -> list[Pairs]:
    """Bring together what all runs of both sides have.

    Args:
        sides: The runs.
        measures: Which columns; all by default.

    Raises:
        SegDistillError: If there is no common test set, protocols or versions differ, a set holds other images for
            one run than for another, or no set has a measure.
    """
    runs = (*sides.a.runs, *sides.b.runs)
    shared = [name for name in runs[0].tables if all(name in run.tables for run in runs)]
    if not shared:
        held = "; ".join(f"{run.name}: {listed(list(run.tables))}" for run in (runs[0], sides.b.runs[0]))
        raise SegDistillError(
            f"The runs have no test set in common ({held}); evaluate both on the same sets."
        )
    found = [_pairs(name, sides, measures) for name in shared]
    for wanted in measures or ():
        if not any(wanted in (*each.a, *each.alone) for each in found):
            known = dict.fromkeys(key for name in shared for key in _shared(runs, name))
            raise unknown("measure", wanted, known)
    return found


def left_out(sides: Sides) -> list[str]:
    """Test sets that only some of the runs have."""
    runs = (*sides.a.runs, *sides.b.runs)
    names = dict.fromkeys(name for run in runs for name in run.tables)
    return [name for name in names if not all(name in run.tables for run in runs)]


def _pairs(name: str, sides: Sides, measures: Sequence[str] | None) -> Pairs:
    runs = (*sides.a.runs, *sides.b.runs)
    first = runs[0].tables[name]
    for run in runs[1:]:
        _refuse_other_protocol(name, (runs[0], first), (run, run.tables[name]))
        _refuse_other_ids(name, (runs[0], first), (run, run.tables[name]), first.unit)
    ids = tuple(sorted(first.ids))
    columns = [key for key in _shared(runs, name) if measures is None or key in measures]
    a, b = ({key: _array(side.runs, name, key, ids) for key in columns} for side in (sides.a, sides.b))
    pooled = frozenset().union(*(run.tables[name].pooled for run in runs)) & a.keys()
    everything = dict.fromkeys(key for run in runs for key in run.tables[name].columns)
    alone = tuple(key for key in everything if key not in columns and (measures is None or key in measures))
    return Pairs(name, first.protocol, first.version, first.unit, ids, a, b, pooled, alone)


def _shared(runs: Sequence[Source], name: str) -> list[str]:
    return [
        key for key in runs[0].tables[name].columns if all(key in run.tables[name].columns for run in runs)
    ]


def _array(runs: Iterable[Source], name: str, column: str, ids: Sequence[str]) -> Array:
    return np.array([[run.tables[name].columns[column][i] for i in ids] for run in runs])


def _refuse_other_protocol(name: str, ours: tuple[Source, Table], theirs: tuple[Source, Table]) -> None:
    (run, table), (other, its) = ours, theirs
    if (table.protocol, table.version) != (its.protocol, its.version):
        raise SegDistillError(
            f"{name} was scored by {table.protocol} version {table.version} in {run.name}, but by {its.protocol} "
            f"version {its.version} in {other.name}: such numbers do not compare; score both by one protocol."
        )


def _refuse_other_ids(name: str, ours: tuple[Source, Table], theirs: tuple[Source, Table], unit: str) -> None:
    (run, table), (other, its) = ours, theirs
    for has, lacks, extra in ((run, other, table.ids - its.ids), (other, run, its.ids - table.ids)):
        if extra:
            raise SegDistillError(
                f"{name} has {len(extra)} of the {unit} of {has.name} not in {lacks.name} "
                f"({listed(sorted(extra))}): score both on the same {unit}."
            )
