#!/usr/bin/env python3
"""Does a stored teacher teach as well as a live one? The students of `polyp_lite.py`, distilled once more from a cache.

    SEGDISTILL_DATA=... python benchmarks/cached_dice.py [--seeds 0 1 2] [--collect]

`--cache` is the only difference: one map per image, moved with it, which colour augmentation does not reach. Needs the
finished runs of benchmarks/polyp_lite.py; trains what is missing beside them, goes on where a run was stopped, prints
and stores benchmarks/results/cached-dice.json. The two are alike where the mean difference of validation Dice is
smaller than the standard deviation of the live students over their seeds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import polyp_lite  # noqa: E402
from benchmarks.current import fault  # noqa: E402
from benchmarks.jobs import Job  # noqa: E402
from benchmarks.jobs import run as run_jobs  # noqa: E402
from benchmarks.tables import markdown, one, share, summary  # noqa: E402
from segdistill import config  # noqa: E402
from segdistill.engine import Run  # noqa: E402
from segdistill.engine.environment import environment  # noqa: E402
from segdistill.report import collect as summaries  # noqa: E402
from segdistill.report.gain import gain  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "cached-dice.json"
WAYS = {"live": "distilled", "cached": "cached"}


def arguments(runs: Path, seed: int) -> list[str]:
    """The command of a cached student: that of the live one, with a cache."""
    live, out = (runs / f"{WAYS[way]}-{seed}" for way in WAYS)
    known = polyp_lite.commands(runs, [seed])[live]
    return [*(str(out) if word == str(live) else word for word in known), "--cache"]


def check(runs: Path, seeds: Sequence[int]) -> None:
    """Stop where a live student is missing, or a cached one is not what its command would train now."""
    absent = [run for seed in seeds if not polyp_lite.is_finished(run := runs / f"distilled-{seed}")]
    if absent:
        sys.exit(f"{absent[0]} is not finished: run benchmarks/polyp_lite.py first.")
    for seed in seeds:
        recipe = config.override(config.read(polyp_lite.RECIPE), [f"training.seed={seed}", "cache={}"])
        wanted = config.for_distillation(recipe, teacher=runs / "teacher")
        run = runs / f"cached-{seed}"
        wrong = polyp_lite.is_finished(run) and fault(Run(run), wanted, runs / "teacher")
        if wrong:
            sys.exit(f"{run} was {wrong}: move it away, or name other --runs.")


def compared(runs: Path, seeds: Sequence[int]) -> dict[str, Any]:
    """Scores of both by set, their differences seed by seed, and whether they are alike."""
    done = {way: [Run(runs / f"{name}-{seed}") for seed in seeds] for way, name in WAYS.items()}
    scores = {way: polyp_lite.scores(found) for way, found in done.items()}
    live, cached = (scores[way]["validation"]["last"]["dice"] for way in WAYS)
    difference = summary([b - a for a, b in zip(live["values"], cached["values"], strict=True)])
    before, after = (summaries({way: [run.path for run in found]}) for way, found in done.items())
    gains = {name: gain(before, after, name) for name in done["live"][0].metrics["tests"]}
    return {
        "seeds": list(seeds),
        "scores": scores,
        "validation": {"difference": difference, "noise": live["sd"]},
        "alike": bool(live["sd"]) and abs(difference["mean"]) <= live["sd"],
        "tests": {name: asdict(found) for name, found in gains.items() if found},
    }


def table(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    sets = list(record["scores"]["live"])
    rows = [
        [way, *(one(of_set["last"]["dice"]) for of_set in by_set.values())]
        for way, by_set in record["scores"].items()
    ]
    found = record["validation"]
    verdict = "alike" if record["alike"] else "not alike"
    return "\n".join(
        [
            markdown(["teacher", *(f"{name} Dice" for name in sets)], rows),
            "",
            f"cached - live on validation: {100 * found['difference']['mean']:+.2f} points, where seeds differ by "
            f"{100 * (found['noise'] or 0):.2f} (standard deviation {share(found['noise'] or 0)}): {verdict}",
        ]
    )


def main() -> None:
    """Train what is missing, then report what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/polyp-lite"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--collect", action="store_true", help="train nothing; report the seeds that are finished"
    )
    options = parser.parse_args()
    check(options.runs, options.seeds)
    runs = {seed: options.runs / f"cached-{seed}" for seed in options.seeds}
    if not options.collect:
        jobs = [
            Job(run, polyp_lite.resumed(run, arguments(options.runs, seed))) for seed, run in runs.items()
        ]
        run_jobs(jobs, is_done=polyp_lite.is_finished, at_once=1)
    seeds = [seed for seed, run in runs.items() if polyp_lite.is_finished(run)]
    if not seeds:
        sys.exit("No cached student is finished yet.")
    record = {**compared(options.runs, seeds), "protocol": "dice@0.5", "env": environment()}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(table(record))


if __name__ == "__main__":
    main()
