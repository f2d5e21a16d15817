"""Which runs stand on which side, and which of them are pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segdistill.core import SegDistillError
from segdistill.report.comparison import sources
from segdistill.report.comparison.names import in_common, listed, without_seed
from segdistill.report.comparison.sources import Source
from segdistill.report.history import labelled

Paths = str | Path | Sequence[str | Path]


@dataclass(frozen=True)
class Side:
    """A network: one run, or several that differ in the seed.

    Attributes:
        label: Its name in sentences.
        runs: In the order of the pairs.
    """

    label: str
    runs: tuple[Source, ...]


@dataclass(frozen=True)
class Sides:
    """Two networks whose runs are pairs, first with first.

    Attributes:
        a: The one that is compared against.
        b: The one that is judged.
        paired_by: `"seed"`; `"order"`, where a seed is unknown; `"nothing"`, where each has one run.
    """

    a: Side
    b: Side
    paired_by: Literal["seed", "order", "nothing"]

    @property
    def seeds(self) -> list[int | None]:
        """Of A's runs."""
        return [run.seed for run in self.a.runs]


def pair(a: Paths, b: Paths) -> Sides:
    """Read the runs of both sides and pair those of the same seed.

    Args:
        a: Run folders or JSON files; several are trainings that differ in the seed.
        b: The same.

    Raises:
        SegDistillError: If a run cannot be read, stands on both sides, or has no partner.
    """
    read = [[sources.read(path) for path in _several(paths)] for paths in (a, b)]
    for runs, side in zip(read, "AB", strict=True):
        if not runs:
            raise SegDistillError(f"Side {side} has no run; name at least one for each side.")
    _refuse_twice([run for runs in read for run in runs])
    ordered, paired_by = _ordered(*read)
    labels = [_label(runs, [run for other in read for run in other]) for runs in ordered]
    first, second = (Side(label, tuple(runs)) for label, runs in zip(labels, ordered, strict=True))
    return Sides(first, second, paired_by)


def split(runs: Sequence[str | Path]) -> tuple[list[str | Path], list[str | Path]]:
    """Sort runs into two networks: trainings whose configurations differ in the seed alone belong together.

    Args:
        runs: Two run folders or JSON files, or more run folders.

    Returns:
        A, the network of the first run, and B.

    Raises:
        SegDistillError: If there are not two networks, or it is not known what a run was trained with.
    """
    if len(runs) < 2:
        raise SegDistillError("A comparison needs two runs, or two groups of runs; name RUN_A and RUN_B.")
    if len(runs) == 2:
        return [runs[0]], [runs[1]]
    groups: list[tuple[str, list[str | Path]]] = []
    for run in runs:
        config = _configuration(Path(run))
        found = next((members for known, members in groups if known == config), None)
        if found is None:
            groups.append((config, [run]))
        else:
            found.append(run)
    if len(groups) != 2:
        held = "; ".join(listed([str(member) for member in members]) for _, members in groups)
        raise SegDistillError(
            f"These {len(runs)} runs are of {len(groups)} configurations and not of two ({held}); say which are which "
            "with --a RUN --a RUN ... --b RUN --b RUN ..."
        )
    return groups[0][1], groups[1][1]


def _configuration(path: Path) -> str:
    config = without_seed(path)
    if not config:
        raise SegDistillError(
            f"{path} does not say which network it is of; with more than two runs, "
            "say which are which with --a RUN --a RUN ... --b RUN --b RUN ..."
        )
    return config


def _several(paths: Paths) -> Sequence[str | Path]:
    return [paths] if isinstance(paths, str | Path) else paths


def _refuse_twice(runs: Sequence[Source]) -> None:
    counts = Counter((run.path.resolve(), run.part) for run in runs)
    for run in runs:
        if counts[run.path.resolve(), run.part] > 1:
            raise SegDistillError(f"{run.name} is named twice; a run cannot be compared with itself.")


def _ordered(
    a: Sequence[Source], b: Sequence[Source]
) -> tuple[tuple[Sequence[Source], Sequence[Source]], Literal["seed", "order", "nothing"]]:
    """Both sides in an order in which pairs stand side by side, and what pairs them."""
    if len(a) == len(b) == 1:
        return (a, b), "nothing"
    if any(run.seed is None for run in (*a, *b)):
        if len(a) != len(b):
            raise SegDistillError(
                f"A has {len(a)} runs and B {len(b)}, and not all say their seed; name as many on both sides, "
                "in the order in which they are pairs."
            )
        return (a, b), "order"
    by_seed = [_by_seed(runs) for runs in (a, b)]
    alone = sorted(by_seed[0].keys() ^ by_seed[1].keys())
    if alone:
        runs = [side[seed].name for seed in alone for side in by_seed if seed in side]
        raise SegDistillError(
            f"Runs of one seed are pairs, and {listed(runs)} has no partner of its seed "
            f"({listed([str(seed) for seed in alone])}) on the other side; leave it out or train the other network so."
        )
    first, second = ([side[seed] for seed in sorted(side)] for side in by_seed)
    return (first, second), "seed"


def _by_seed(runs: Sequence[Source]) -> Mapping[int, Source]:
    found: dict[int, Source] = {}
    for run in runs:
        seed = run.seed if run.seed is not None else -1
        if seed in found:
            raise SegDistillError(
                f"{found[seed].name} and {run.name} are on one side and both of seed {seed}; leave one out."
            )
        found[seed] = run
    return found


def _label(runs: Sequence[Source], everything: Sequence[Source]) -> str:
    """A run's name, or what the names of several have in common."""
    if any(run.part for run in everything):
        names = [run.part or run.path.stem for run in runs]
    else:
        short = {Path(path): label for label, path in labelled([run.path for run in everything]).items()}
        names = [short[run.path].removesuffix(".json") for run in runs]
    return in_common(names)
