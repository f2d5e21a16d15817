"""The record as a page of the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.polyp_results import differences
from benchmarks.polyp_results.goals import answers, speed_name, spread, tested
from benchmarks.polyp_results.published import PUBLISHED, Pair, Published
from benchmarks.polyp_results.record import MEASURES
from benchmarks.polyp_results.speed import COMMON, ORIGINALS
from benchmarks.ranking import points
from benchmarks.tables import markdown, one, share

Record = Mapping[str, Any]

ABSENT = "-"
TITLES = {
    "pranet-py": "Mean Dice / mean IoU by `pranet-py`",
    "dice@0.5": "Dice / IoU by `dice@0.5`",
}
MADE = "<!-- Written by `python benchmarks/polyp.py` from benchmarks/results/polyp.json; do not edit. -->"


def page(record: Record) -> str:
    """The whole page."""
    parts = [
        MADE,
        "# Results on polyps",
        INTRODUCTION,
        state(record),
        "## The goals",
        answers(record),
        "## Scores",
        SCORES,
        *(f"### {TITLES[protocol]}\n\n{scores(record, protocol)}" for protocol in MEASURES),
        missing(record),
        "## What distillation changed",
        GAINS,
        gains(record),
        "## Speed",
        speed(record),
        "## What differs from the published set-ups",
        differences.table(record),
        "## The commands",
        commands(record),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


INTRODUCTION = """\
Students of two polyp projects, KDAS3 and the MobileNetV2 distillation project, trained without a teacher and with
three methods, beside the numbers that were published. `python benchmarks/polyp.py` trains what is missing and writes
this page; every number of it, by seed, is in
[benchmarks/results/polyp.json](../benchmarks/results/polyp.json)."""

SCORES = """\
Ours are means over images, then over seeds, ± the standard deviation over seeds. Published rows are in italics and come
from other protocols and set-ups, [listed below](#what-differs-from-the-published-set-ups): they say where the field
stands, not who is better."""

GAINS = """\
Differences of Dice in points (hundredths), paired image by image with the same student without a teacher, of the same
seed, start, data order and schedule. Intervals are for 95 %, for other images and, with several seeds, other seeds; p
is Wilcoxon's signed-rank test over images, each with its mean over seeds. Frames of one sequence resemble each other,
which makes both too small. Nothing is corrected for the number of differences."""


def state(record: Record) -> str:
    """How much of the table is there."""
    open_ones = record["left_out"]
    if not open_ones:
        return f"All {record['trainings']} trainings are finished."
    done = record["trainings"] - len(open_ones)
    by_reason: dict[str, list[str]] = {}
    for name, reason in open_ones.items():
        by_reason.setdefault(reason, []).append(name)
    listed = "\n".join(f"- {reason}: {', '.join(names)}" for reason, names in by_reason.items())
    return (
        f"**Not complete: {done} of {record['trainings']} trainings are in the tables.** Not in them, by reason "
        f"(to train one anew, move its folder away):\n\n{listed}"
    )


def scores(record: Record, protocol: str) -> str:
    """Ours and the published rows by one protocol."""
    sets = record["sets"]["there"]
    timed = (record["speed"] or {}).get("networks", {})
    ours = [own(row, timed.get(speed_name(row["student"])), protocol, sets) for row in record["rows"]]
    theirs = [published(each, sets) for each in PUBLISHED if each.protocol == protocol]
    head = ["network", "method", "seeds", "parameters", "GMAC", "FPS", *sets]
    return markdown(head, [*teacher(record["teacher"], protocol, sets), *ours, *theirs])


def own(row: Record, timed: Record | None, protocol: str, sets: Sequence[str]) -> list[str]:
    """A student of ours."""
    seeds = str(len(row["seeds"]))
    return [row["student"], row["method"], seeds, *cost(timed), *cells(row["scores"], protocol, sets)]


def teacher(found: Record | None, protocol: str, sets: Sequence[str]) -> list[list[str]]:
    """The teacher, if it has scores."""
    if not found or not found["scores"]:
        return []
    price = [f"{found['parameters'] / 1e6:.2f} M", f"{found['gmac']:.2f}", ""]
    return [["teacher of all", "", "1", *price, *cells(found["scores"], protocol, sets)]]


def published(found: Published, sets: Sequence[str]) -> list[str]:
    """A row of somebody else."""
    return [f"*{found.name}*", f"*{found.how}*", *[""] * 4, *(pair(found.scores.get(name)) for name in sets)]


def cost(timed: Mapping[str, Any] | None) -> list[str]:
    """Parameters, multiply-adds and speed of a student at its own size."""
    if timed is None:
        return [""] * 3
    return [f"{timed['parameters'] / 1e6:.2f} M", f"{timed['gmac']:.2f}", f"{timed['fps']:.1f}"]


def cells(found: Mapping[str, Any], protocol: str, sets: Sequence[str]) -> list[str]:
    """Dice and IoU on every set."""
    return [" / ".join(one(found[protocol][name][key]) for key in MEASURES[protocol]) for name in sets]


def pair(found: Pair | None) -> str:
    """A published pair."""
    return " / ".join(ABSENT if value is None else share(value) for value in found) if found else ABSENT


def missing(record: Record) -> str:
    """The test sets that could not be scored."""
    names = record["sets"]["missing"]
    if not names:
        return ""
    return (
        f"Not in `SEGDISTILL_DATA`, so neither scored nor in any average here: {', '.join(names)}. "
        "Published averages over five sets are left out for that reason."
    )


def gains(record: Record) -> str:
    """All paired differences in Dice."""
    rows = [
        [
            *(each["row"]["student"], each["row"]["method"], each["set"], f"`{each['protocol']}`"),
            points(spread(each)),
            f"{each['p']:.2g}",
            f"{each['better']} / {each['worse']} of {each['images']}",
            ", ".join(f"{100 * value:+.2f}" for value in each["by_seed"]),
        ]
        for each in tested(record)
    ]
    head = [
        "student",
        "method",
        "set",
        "protocol",
        "gain (95 % interval)",
        "p",
        "images better / worse",
        "by seed",
    ]
    return markdown(head, rows) if rows else "No student has been trained with and without a teacher yet."


def speed(record: Record) -> str:
    """How fast everything is."""
    found = record["speed"]
    if not found:
        return "Not measured yet."
    names = {
        **{name: name for name in found["networks"]},
        **{name: f"*student of {name}*" for name in ORIGINALS},
    }
    rows = [
        [
            names[name],
            *(f"{each['size']}", f"{each['parameters'] / 1e6:.2f} M", f"{each['gmac']:.2f}"),
            *(f"{each['fps']:.1f}", f"{each['common']['gmac']:.2f}", f"{each['common']['fps']:.1f}"),
        ]
        for name, each in found["networks"].items()
    ]
    head = ["network", "size", "parameters", "GMAC", "FPS", f"GMAC at {COMMON}", f"FPS at {COMMON}"]
    env, size = found["env"], record["setup"]["size"]
    threads = f"{env['threads']} thread{'s'[: env['threads'] > 1]}"
    how = (
        f"The network alone in float32, one image after the other, on {env['processor']} with {threads}: "
        f"medians over {found['rounds']} rounds, in each of which every network takes its turn."
    )
    why = f"Ours run at {size} pixels, which is part of their speed; the last column has none of that."
    return f"{how} {busy(found['busy'])}\n\n{markdown(head, rows)}\n\n{why}"


def busy(load: float) -> str:
    """Whether the machine did something else."""
    if load < 1:
        return "Nothing else ran."
    return (
        f"**The machine was busy (load {load:.1f}): frames per second are too low, only their order counts.**"
    )


def commands(record: Record) -> str:
    """What to type for one training of every row."""
    taught = record["teacher"] or {}
    first = [taught["command"]] if taught.get("command") else []
    lines = [*first, *(row["command"] for row in record["rows"])]
    what = "\n".join(
        f"- **{name}**: {about}" for part in ("students", "methods") for name, about in record[part].items()
    )
    block = "\n".join(lines)
    which = "One training of every row; others differ in `training.seed` and `--out`."
    which += f" The teacher was {taught['fault']}." if taught.get("fault") else ""
    return f"{what}\n\n{which}\n\n```bash\n{block}\n```"
