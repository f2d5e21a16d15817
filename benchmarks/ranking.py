"""Finished trials of `benchmarks/methods.py` as one record: scores, paired gains, costs."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segdistill.report.runs import read_run

#: How long the student trains alone, in schedules.
LENGTHS = (1, 2, 4)
DRAWS = 10_000

Scores = dict[int, dict[str, float]]


def collect(runs: Path, names: Iterable[str]) -> dict[str, Any]:
    """Everything that is finished under `runs`."""
    from segdistill.engine.environment import environment

    alone = {times: trials(runs, f"baseline-x{times}") for times in LENGTHS}
    found = {name: entry(runs, name, alone) for name in names if (runs / "cost" / f"{name}.json").is_file()}
    return {
        "command": "python benchmarks/methods.py",
        "setup": setup(),
        "baseline": {str(times): summary(scores) for times, scores in alone.items() if scores},
        "baseline_megabytes": megabytes(runs, "baseline-x1"),
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


def entry(runs: Path, name: str, alone: Mapping[int, Scores]) -> dict[str, Any]:
    """One method's row."""
    cost, scores = (
        json.loads((runs / "cost" / f"{name}.json").read_text(encoding="utf-8")),
        trials(runs, name),
    )
    row = {**cost, "megabytes": megabytes(runs, name)}
    if not scores:
        return row
    reached = min(cost["times"], max(LENGTHS))
    gains = {
        "gain": gain(alone[1], scores),
        "gain_at_equal_time": gain(at_length(alone, reached), scores),
    }
    return {**row, "dice": summary(scores), **{key: found for key, found in gains.items() if found}}


def at_length(alone: Mapping[int, Scores], times: float) -> Scores:
    """What the student alone would score on a schedule `times` as long: linear in the logarithm, image by image."""
    times = max(times, 1.0)
    above = next(length for length in LENGTHS if length >= times)
    below = max(length for length in LENGTHS if length <= times)
    share = 0.0 if above == below else math.log(times / below) / math.log(above / below)
    return {
        seed: {
            image: (1 - share) * score + share * alone[above][seed][image]
            for image, score in alone[below][seed].items()
        }
        for seed in alone[below].keys() & alone[above].keys()
    }


def gain(before: Scores, after: Scores) -> dict[str, Any] | None:
    """Paired difference over the seeds and images that both have, with its 95 % interval; `None` without any."""
    seeds = sorted(before.keys() & after.keys())
    if not seeds:
        return None
    images = sorted(set.intersection(*(before[s].keys() & after[s].keys() for s in seeds)))
    differences = np.array([[after[s][i] - before[s][i] for i in images] for s in seeds])
    low, high = interval(differences)
    return {
        "difference": float(differences.mean()),
        "low": low,
        "high": high,
        "seeds": seeds,
        "images": len(images),
    }


def interval(differences: NDArray[np.floating], *, draws: int = DRAWS, seed: int = 0) -> tuple[float, float]:
    """95 % of the means of `(seeds, images)` differences where seeds and images are both drawn anew.

    Both count: a method that helps with one seed only, or on a few images only, gets a wide interval.
    """
    rng, (seeds, images) = np.random.default_rng(seed), differences.shape
    # How often each was drawn: the mean of a draw is a weighted mean, without copying a table per draw.
    rows = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws) / seeds
    columns = rng.multinomial(images, np.full(images, 1 / images), size=draws) / images
    means = np.einsum("ds,si,di->d", rows, differences, columns, optimize=True)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def summary(scores: Scores) -> dict[str, Any]:
    """Mean and deviation over seeds of the mean over images."""
    values = [statistics.fmean(table.values()) for table in scores.values()]
    deviation = statistics.stdev(values) if len(values) > 1 else None
    return {"mean": statistics.fmean(values), "sd": deviation, "values": values, "seeds": list(scores)}


def megabytes(runs: Path, name: str) -> float | None:
    """The most memory that a run of this name held."""
    records = [json.loads(p.read_text(encoding="utf-8")) for p in runs.glob(f"{name}-*/trial.json")]
    return max((record["peak_megabytes"] for record in records), default=None)


HEAD = (
    "method",
    "Dice",
    "gain",
    "gain at equal time",
    "ms per step",
    "of alone",
    "peak MB",
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
    memory = {"1": number(record["baseline_megabytes"], ".0f")}
    return [
        (
            f"alone, {times} x as long" if times != "1" else "alone",
            score(found),
            *[""] * 4,
            memory.get(times, ""),
            "",
            "",
        )
        for times, found in record["baseline"].items()
    ]


def cells(row: Mapping[str, Any]) -> list[str]:
    """One method's cells after its name."""
    beyond = row["times"] > max(LENGTHS)
    return [
        score(row.get("dice")),
        points(row.get("gain")),
        points(row.get("gain_at_equal_time")) + (" (at least)" if beyond else ""),
        number(row["milliseconds"]["distilled"], ".0f"),
        f"{row['times']:.2f} x",
        number(row["megabytes"], ".0f"),
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
    """A gain in points of Dice, with its interval."""
    if not found:
        return ""
    return f"{100 * found['difference']:+.2f} ({100 * found['low']:+.2f} to {100 * found['high']:+.2f})"


def number(value: float | None, form: str) -> str:
    """A number, or nothing."""
    return "" if value is None else format(value, form)
