"""Finished trials of `benchmarks/methods.py` as one record: scores, paired gains, costs."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from segdistill.core import SegDistillError
from segdistill.report.interval import interval
from segdistill.report.runs import read_run

#: How long the student trains alone, in schedules.
LENGTHS = (1, 2, 4)
#: Its name among the measurements of memory.
ALONE = "alone"

Scores = dict[int, dict[str, float]]


def collect(runs: Path, names: Iterable[str]) -> dict[str, Any]:
    """Everything that is finished under `runs`.

    Raises:
        SegDistillError: If it comes from several teachers.
    """
    from segdistill.engine.environment import environment

    check_one_teacher(runs)
    alone = {times: trials(runs, f"baseline-x{times}") for times in LENGTHS}
    took = {times: seconds(runs, f"baseline-x{times}") for times in LENGTHS}
    found = {
        name: entry(runs, name, alone, took) for name in names if (runs / "cost" / f"{name}.json").is_file()
    }
    return {
        "command": "python benchmarks/methods.py",
        "setup": setup(),
        "baseline": {
            str(times): {**summary(scores), "seconds": took[times], "time_ratio": ratio(took[times], took[1])}
            for times, scores in alone.items()
            if scores
        },
        "baseline_peak_mib": peak_mib(runs, ALONE),
        "methods": found,
        "env": environment(),
    }


def setup() -> dict[str, Any]:
    """What all trials share."""
    from benchmarks import trial

    return {
        "images": trial.IMAGES,
        "size": trial.SIZE,
        "tests": list(trial.TESTS),
        "student": trial.STUDENT,
        "training": trial.TRAINING,
        "options": trial.OPTIONS,
        "protocol": "dice@0.5",
    }


def trials(runs: Path, name: str) -> Scores:
    """Dice per test image by seed, of the runs that are finished."""
    folders = {
        int(p.name.rpartition("-")[2]): p for p in runs.glob(f"{name}-*") if (p / "trial.json").is_file()
    }
    return {seed: dice(folder) for seed, folder in sorted(folders.items())}


def dice(folder: Path) -> dict[str, float]:
    """Dice of every test image, the sets together."""
    return {
        f"{dataset}/{image}": score
        for dataset, tables in read_run(folder).scores.items()
        for image, score in tables["dice"].items()
        if not math.isnan(score)
    }


def teachers(runs: Path) -> dict[Path, str]:
    """Which teacher's fingerprint every record under `runs` bears, where it had one."""
    paths = sorted(
        path for kind in ("cost/*.json", "memory/*.json", "*/trial.json") for path in runs.glob(kind)
    )
    found = {path: read(path).get("teacher") for path in paths}
    return {path: teacher for path, teacher in found.items() if teacher}


def check_one_teacher(runs: Path) -> None:
    """Refuse a table of several teachers.

    Raises:
        SegDistillError: Naming two records.
    """
    made = teachers(runs)
    first = next(iter(made), None)
    for path, teacher in made.items():
        if first and teacher != made[first]:
            raise SegDistillError(
                f"{first} and {path} come from different teachers. Delete those of one, and run it again."
            )


def read(path: Path) -> dict[str, Any]:
    """A record."""
    return json.loads(path.read_text(encoding="utf-8"))


def seconds(runs: Path, name: str) -> float | None:
    """What a training took, the median over its seeds; `None` where no seed can tell."""
    found = [read(path)["seconds"] for path in runs.glob(f"{name}-*/trial.json")]
    known = [value for value in found if value is not None]
    return statistics.median(known) if known else None


def ratio(one: float | None, other: float | None) -> float | None:
    """A time in times of another, where both are known."""
    return one / other if one and other else None


def entry(
    runs: Path, name: str, alone: Mapping[int, Scores], took: Mapping[int, float | None]
) -> dict[str, Any]:
    """One method's row."""
    cost, scores = read(runs / "cost" / f"{name}.json"), trials(runs, name)
    row = {**cost, "peak_mib": peak_mib(runs, name)}
    if not scores:
        return row
    times = ratio(seconds(runs, name), took[1])
    gains = {"gain": gain(alone[1], scores), "gain_at_equal_time": timed_gain(alone, took, scores, times)}
    found = {key: value for key, value in gains.items() if value}
    return {**row, "dice": summary(scores), "time_ratio": times, **found}


def timed_gain(
    alone: Mapping[int, Scores], took: Mapping[int, float | None], scores: Scores, times: float | None
) -> dict[str, Any] | None:
    """Gain over the student that trained alone for as long; `None` while its schedules are not all finished.

    One that took longer than the longest of them is compared with that one. More time would raise what the student
    reaches alone, so its gain is at most what is found.
    """
    ratios = {length: ratio(time, took[1]) for length, time in took.items()}
    known = {length: value for length, value in ratios.items() if value is not None}
    if times is None or len(known) < len(LENGTHS):
        return None
    found = gain(at_time(alone, known, times), scores)
    return {**found, "at_most": times > max(known.values())} if found else None


def at_time(alone: Mapping[int, Scores], ratios: Mapping[int, float], times: float) -> Scores:
    """What the student alone would score if it trained `times` as long: linear in the logarithm, image by image.

    Args:
        alone: Its scores by the length of its schedule.
        ratios: What these schedules took, in times of the shortest.
        times: Shorter than the shortest counts as that, longer than the longest as the longest.
    """
    times = min(max(times, 1.0), max(ratios.values()))
    above = min((each for each in ratios if ratios[each] >= times), key=ratios.__getitem__)
    below = max((each for each in ratios if ratios[each] <= times), key=ratios.__getitem__)
    share = (
        0.0 if above == below else math.log(times / ratios[below]) / math.log(ratios[above] / ratios[below])
    )
    return {
        seed: {
            image: (1 - share) * score + share * alone[above][seed][image]
            for image, score in alone[below][seed].items()
        }
        for seed in alone[below].keys() & alone[above].keys()
    }


def gain(before: Scores, after: Scores) -> dict[str, Any] | None:
    """Paired difference over the seeds and images that both have, with its 95 % interval; `None` without any.

    There is no interval of a single seed.
    """
    seeds = sorted(before.keys() & after.keys())
    if not seeds:
        return None
    images = sorted(set.intersection(*(before[s].keys() & after[s].keys() for s in seeds)))
    differences = np.array([[after[s][i] - before[s][i] for i in images] for s in seeds])
    low, high = interval(differences) or (None, None)
    return {
        "difference": float(differences.mean()),
        "low": low,
        "high": high,
        "seeds": seeds,
        "images": len(images),
    }


def summary(scores: Scores) -> dict[str, Any]:
    """Mean and deviation over seeds of the mean over images."""
    values = [statistics.fmean(table.values()) for table in scores.values()]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "sd": deviation, "values": values, "seeds": list(scores)}


def peak_mib(runs: Path, name: str) -> float | None:
    """Peak memory of the training steps of a method, or of the student alone."""
    path = runs / "memory" / f"{name}.json"
    return read(path)["peak_mib"] if path.is_file() else None


HEAD = (
    "method",
    "Dice",
    "gain",
    "gain at equal time",
    "time",
    "ms per step",
    "step",
    "peak MiB",
    "parameters",
    "weight",
)


def table(record: Mapping[str, Any], *, link: bool = False) -> str:
    """The record as Markdown, the largest gain at equal time first."""
    rows = [HEAD, ("---",) * len(HEAD), *alone_rows(record)]
    for name, row in sorted(record["methods"].items(), key=rank):
        rows.append((f"[{name}]({name}.md)" if link else name, *cells(row)))
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def rank(item: tuple[str, Mapping[str, Any]]) -> float:
    """Where a method stands; unfinished ones come last."""
    return -item[1].get("gain_at_equal_time", {}).get("difference", -math.inf)


def alone_rows(record: Mapping[str, Any]) -> list[Sequence[str]]:
    """The student without a method, by length."""
    memory = {"1": number(record["baseline_peak_mib"], ".0f")}
    return [
        (
            f"alone, {times} x as long" if times != "1" else "alone",
            score(found),
            *[""] * 2,
            number(found["time_ratio"], ".2f", " x"),
            *[""] * 2,
            memory.get(times, ""),
            "",
            "",
        )
        for times, found in record["baseline"].items()
    ]


def cells(row: Mapping[str, Any]) -> list[str]:
    """One method's cells after its name."""
    return [
        score(row.get("dice")),
        points(row.get("gain")),
        points(row.get("gain_at_equal_time")),
        number(row.get("time_ratio"), ".2f", " x"),
        number(row["milliseconds"]["distilled"], ".0f"),
        number(row["step_ratio"], ".2f", " x"),
        number(row["peak_mib"], ".0f"),
        f"{row['parameters']:,}",
        number(row["weight"], "g"),
    ]


def score(found: Mapping[str, Any] | None) -> str:
    """Mean and deviation."""
    if not found:
        return ""
    deviation = "" if found["sd"] is None else f" ± {found['sd']:.3f}"
    return f"{found['mean']:.3f}{deviation}"


def points(found: Mapping[str, Any] | None) -> str:
    """A gain in points of Dice, with its interval where there are seeds enough for one."""
    if not found:
        return ""
    most = "at most " if found.get("at_most") else ""
    span = "" if found["low"] is None else f" ({100 * found['low']:+.2f} to {100 * found['high']:+.2f})"
    return f"{most}{100 * found['difference']:+.2f}{span}"


def number(value: float | None, form: str, unit: str = "") -> str:
    """A number, or nothing."""
    return "" if value is None else format(value, form) + unit
