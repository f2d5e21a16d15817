"""What a comparison may be taken to say, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from segdistill.report import interval
from segdistill.report.comparison import ranks
from segdistill.report.comparison.differences import LEVEL, Difference
from segdistill.report.comparison.pairs import Pairs, left_out
from segdistill.report.comparison.sides import Sides

#: Below so many images a percentile bootstrap holds the truth notably less often than it says.
FEW = 20


def sentence(found: Difference, *, seeds: int) -> str:
    """Say one difference: how large, on how much, and whether its interval excludes zero."""
    sign = "excludes" if found.interval.excludes_zero else "includes"
    trainings = "one training each" if seeds == 1 else f"{seeds} seeds"
    return (
        f"{found.dataset}, {found.measure}: B - A is {found.difference:+.4f} over {found.count} {found.unit} "
        f"and {trainings}; the 95 % interval {found.interval.low:+.4f} to {found.interval.high:+.4f} "
        f"{sign} zero."
    )


def rule(sides: Sides, *, draws: int) -> str:
    """How the intervals were found, to stand beside them."""
    images = f"percentile bootstrap over images, {draws} draws"
    several = f"{interval.RULE}; interval_images: {images}" if len(sides.a.runs) > 1 else images
    return f"{LEVEL:.0%}, of the mean difference: {several}"


def notes(sides: Sides, found: Sequence[Difference], pairs: Sequence[Pairs]) -> list[str]:
    """Say what the numbers do not know."""
    return [
        _of_seeds(sides, found),
        *_of_pairing(sides),
        _of_images(found),
        *_of_few(found),
        *_of_tests(found),
        *_of_disagreement(found),
        *_of_directions(found),
        *_of_missing(found),
        *_of_pooled(pairs),
        *(f"Not compared: {why}." for why in not_compared(pairs).values()),
        *(f"Not compared, since not every run has it: {name}." for name in left_out(sides)),
    ]


def _of_seeds(sides: Sides, found: Sequence[Difference]) -> str:
    count, unit = len(sides.a.runs), found[0].unit
    if count == 1:
        return (
            f"One training each: the variation between trainings is not in interval and p. They say how much the "
            f"choice of test {unit} matters; another seed alone may change the difference, and its sign."
        )
    return (
        f"{count} seeds: the interval is for other seeds and other {unit} like these. p is over {unit}, each with its "
        f"mean over seeds: it takes these trainings as they are, and may be small where the interval includes zero. p "
        f"over seeds cannot be below {ranks.least(count):.3g}."
    )


def _of_pairing(sides: Sides) -> list[str]:
    if sides.paired_by == "order":
        return [
            "Not every run says its seed: the runs were paired in the order given. Where they are no pairs, the "
            "interval is wider than it need be."
        ]
    a, b = sides.a.runs[0].seed, sides.b.runs[0].seed
    if sides.paired_by == "nothing" and None not in (a, b) and a != b:
        return [f"The two trainings have different seeds, {a} and {b}: part of the difference is theirs."]
    return []


def _of_images(found: Sequence[Difference]) -> str:
    alike = "Cases of one patient" if found[0].unit == "cases" else "Images of one patient or sequence"
    return f"{alike} resemble each other, which makes interval and p too small."


def _of_few(found: Sequence[Difference]) -> list[str]:
    drawn = [each for each in found if len(each.by_seed) == 1]
    few = dict.fromkeys(f"{each.dataset} ({each.count})" for each in drawn if each.count < FEW)
    if not few:
        return []
    return [
        f"Few {found[0].unit}: {', '.join(few)}. An interval drawn from so few is too narrow: one for 95 % holds the "
        f"truth about 90 times in 100 with ten, 85 with five, and 50 with two."
    ]


def _of_tests(found: Sequence[Difference]) -> list[str]:
    if len(found) < 2:
        return []
    return [
        f"{len(found)} differences were tested and nothing is corrected for that: without any true difference, "
        f"one in twenty has p below 0.05."
    ]


def _of_disagreement(found: Sequence[Difference]) -> list[str]:
    apart = [
        f"{each.dataset} {each.measure}"
        for each in found
        if (each.p < 0.05) != each.interval_images.excludes_zero
    ]
    if not apart:
        return []
    return [
        f"p and the interval over {found[0].unit} disagree for {', '.join(apart)}: p asks whether most {found[0].unit} "
        f"move one way, the interval how far the mean moves, which a few large changes may decide."
    ]


def _of_directions(found: Sequence[Difference]) -> list[str]:
    lower = dict.fromkeys(each.measure for each in found if each.better == "lower")
    signed = dict.fromkeys(each.measure for each in found if each.better == "nearer zero")
    return [
        *([f"Lower is better: {', '.join(lower)}."] if lower else []),
        *([f"Nearer zero is better, absolute values are compared: {', '.join(signed)}."] if signed else []),
    ]


def _of_missing(found: Sequence[Difference]) -> list[str]:
    gaps: dict[tuple[str, str, int, int, int], list[str]] = {}
    for each in found:
        if each.missing:
            gap = (each.dataset, each.unit, each.missing, each.missing_a, each.missing_b)
            gaps.setdefault(gap, []).append(each.measure)
    return [
        f"{dataset}, {', '.join(measures)}: without {count} of the {unit}, where A ({a}) or B ({b}) has no score"
        f"{'; who misses more is flattered' if a != b else ''}."
        for (dataset, unit, count, a, b), measures in gaps.items()
    ]


def _of_pooled(pairs: Sequence[Pairs]) -> list[str]:
    pooled = sorted({measure for each in pairs for measure in each.pooled})
    if not pooled:
        return []
    unit = pairs[0].unit
    return [
        f"{', '.join(pooled)}: the protocol's score of a set is no mean over {unit}, but pooled from all of them; "
        f"what is compared here is the mean over {unit}."
    ]


def not_compared(pairs: Sequence[Pairs]) -> dict[tuple[str, str], str]:
    """Why a measure gives no difference on a test set, by both names."""
    return {(each.dataset, measure): why for each in pairs for measure, why in _gaps(each)}


def _gaps(pairs: Pairs) -> Iterator[tuple[str, str]]:
    """Measures of a test set that are not compared, and why."""
    for measure in pairs.alone:
        yield measure, f"{pairs.dataset}, {measure}, since not every run has it"
    for measure in pairs.a:
        count = int(pairs.compared(measure).sum())
        if count < 2:
            yield (
                measure,
                f"{pairs.dataset}, {measure}, since A and B both have a score for {count} of the {len(pairs.ids)} "
                f"{pairs.unit}, and a comparison needs two",
            )
