"""All differences between two networks, and what they may be taken to say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from segdistill.core import SegDistillError
from segdistill.report.comparison import pairs, ranks, sides, words
from segdistill.report.comparison.differences import Difference, differences
from segdistill.report.comparison.pairs import Pairs
from segdistill.report.comparison.sides import Paths, Side, Sides


@dataclass(frozen=True)
class Comparison:
    """Two networks on the test sets that both were scored on.

    Attributes:
        sides: The runs of A and B, in pairs.
        differences: One for every test set and measure.
        pairs: The scores per image or case they come from.
        draws: How often images were drawn anew.
        notes: What the numbers do not know; read them before you quote one.
    """

    sides: Sides
    differences: tuple[Difference, ...]
    pairs: tuple[Pairs, ...]
    draws: int
    notes: tuple[str, ...]

    @property
    def sentences(self) -> list[str]:
        """Every difference in words."""
        return [words.sentence(each, seeds=len(self.sides.a.runs)) for each in self.differences]

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain data, numbers in full, `None` where there is none."""
        return {
            "a": _side(self.sides.a),
            "b": _side(self.sides.b),
            "paired_by": self.sides.paired_by,
            "interval": words.rule(self.sides, draws=self.draws),
            "test": ranks.RULE,
            "differences": [_difference(each) for each in self.differences],
            "per_image": {each.dataset: list(_rows(each)) for each in self.pairs},
            "notes": list(self.notes),
        }


def compare(
    a: Paths, b: Paths, *, measures: Sequence[str] | None = None, draws: int = 10_000, cases: int = 4
) -> Comparison:
    """Compare two networks by their scores per image: differences B - A in pairs.

    Scores are those of `scores/SET.csv` in a run folder, or of the JSON that `segdistill score` and
    `segdistill evaluate` write. Several runs of one network are trainings that differ in the seed; those of the same
    seed are pairs. The interval of the mean difference is a percentile bootstrap over images with one training each,
    and a t interval over seeds and images (see `segdistill.report.interval`) with several.

    Args:
        a: Run folders or JSON files of the network that is compared against, such as the baseline.
        b: Those of the network that is judged, such as the distilled student.
        measures: Which columns, such as `["dice"]`; all by default.
        draws: How often images are drawn anew.
        cases: How many of the worst cases are named.

    Raises:
        SegDistillError: If a run has no scores or no partner, nothing is in common, images differ, or protocols or
            their versions do.

    Examples:
        >>> found = compare("runs/baseline", "runs/distilled")  # doctest: +SKIP
        >>> found.sentences[0]  # doctest: +SKIP
        'Kvasir, dice: B - A is +0.0123 over 100 images and one training each; ...'
    """
    for name, value, least in (("draws", draws, 100), ("cases", cases, 0)):
        if value < least:
            raise SegDistillError(f"{name} must be {least} or more, got {value}.")
    found = sides.pair(a, b)
    shared = pairs.collect(found, measures)
    compared = tuple(each for one in shared for each in differences(one, draws=draws, cases=cases))
    _refuse_nothing(measures or (), compared, shared)
    if not compared:
        unit = shared[0].unit
        raise SegDistillError(f"A comparison needs two {unit} or more with scores of both; there are fewer.")
    notes = words.notes(found, compared, shared)
    return Comparison(found, compared, tuple(shared), draws, tuple(notes))


def _refuse_nothing(wanted: Sequence[str], found: Sequence[Difference], shared: Sequence[Pairs]) -> None:
    """Refuse a measure that was asked for and is compared on no test set."""
    reasons = words.not_compared(shared)
    for measure in set(wanted) - {each.measure for each in found}:
        why = next(reason for (_, name), reason in reasons.items() if name == measure)
        raise SegDistillError(f"Nothing to compare: {why}; name other measures, or score both sides again.")


def _side(side: Side) -> dict[str, Any]:
    return {"label": side.label, "runs": [{"path": run.name, "seed": run.seed} for run in side.runs]}


def _difference(found: Difference) -> dict[str, Any]:
    return {
        **asdict(found),
        "difference": found.difference,
        "ties": found.ties,
        "excludes_zero": found.interval.excludes_zero,
        "ahead": found.ahead,
        "interval": list(found.interval),
        "interval_images": list(found.interval_images),
        "losses": [case._asdict() for case in found.losses],
        "lowest": [case._asdict() for case in found.lowest],
    }


def _rows(found: Pairs) -> Iterator[dict[str, Any]]:
    """One row per image or case: for every measure the scores of A's and B's runs."""
    for index, name in enumerate(found.ids):
        scores = {
            measure: {"a": _plain(found.a[measure][:, index]), "b": _plain(found.b[measure][:, index])}
            for measure in found.a
        }
        yield {"id": name, **scores}


def _plain(values: Any) -> list[float | None]:
    return [None if math.isnan(value) else float(value) for value in values]
