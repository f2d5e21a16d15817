#!/usr/bin/env python3
"""Does every method train, what does it gain, and what does it cost? A table over the whole catalogue.

    SEGDISTILL_DATA=... python benchmarks/methods.py --teacher runs/polyp-lite/teacher [--only KD,AT] [--seeds 0 1 2]

A student from ImageNet weights learns 400 polyp images on one short schedule: alone (as the baseline, also twice and
four times as long) and with every method, three seeds each. Every method gets the weight at which it pulls as much as
the labels (the median of before the first step and after one and two epochs of the student alone), so that none is
judged by the scale its authors happened to choose. What is missing under --runs is trained, what was stopped goes on;
benchmarks/results/methods.json and the pages in docs/methods are written from what is finished. --collect trains
nothing. One folder holds the trials of one teacher.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.current import fingerprint  # noqa: E402
from benchmarks.jobs import Job, run, say  # noqa: E402
from benchmarks.ranking import ALONE, LENGTHS, collect, table, teachers  # noqa: E402
from segdistill.core import SegDistillError, unknown  # noqa: E402
from segdistill.methods import Method  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "methods.json"
TRIAL = (sys.executable, str(ROOT / "benchmarks" / "trial.py"))


def applicable() -> list[str]:
    """Methods that have a meaning for images with one foreground class."""
    return [n for n, c in Method.catalogue.items() if "Binary" in c.traits.tasks and 2 in c.traits.dimensions]


def check_teacher(runs: Path, teacher: Path) -> None:
    """Refuse to go on with another teacher: what was measured with the first would serve the second silently.

    Raises:
        SegDistillError: If a record under `runs` is of another one.
    """
    others = [path for path, made in teachers(runs).items() if made != fingerprint(teacher)]
    if others:
        raise SegDistillError(
            f"{runs} holds trials of another teacher than {teacher}, such as {others[0].relative_to(runs)}. "
            f"Name another folder with --runs, or delete it."
        )


def costs(runs: Path, names: Iterable[str], teacher: Path) -> list[Job]:
    """Measure the student's memory alone, and every method's memory, step and weight; one at a time, undisturbed."""
    alone = runs / f"{ALONE}.pt"
    return [
        measured("memory", runs / "memory" / f"{ALONE}.json"),
        *(measured("memory", runs / "memory" / f"{name}.json", name, teacher) for name in names),
        measured("alone", alone),
        *(measured("cost", cost_file(runs, name), name, teacher, "--alone", str(alone)) for name in names),
    ]


def measured(what: str, out: Path, name: str | None = None, teacher: Path | None = None, *more: str) -> Job:
    """A measurement in a process of its own."""
    taught = ("--method", name, "--teacher", str(teacher)) if name else ()
    return Job(out, (*TRIAL, what, *taught, *more, "--out", str(out)))


def trainings(runs: Path, names: Sequence[str], seeds: Sequence[int], teacher: Path) -> list[Job]:
    """All trainings, seed by seed, so that an unfinished table still compares like with like."""
    return [
        job
        for seed in seeds
        for job in (
            *(baseline(runs, times, seed) for times in LENGTHS),
            *(distilled(runs, name, seed, teacher) for name in names if cost_file(runs, name).is_file()),
        )
    ]


def baseline(runs: Path, times: int, seed: int) -> Job:
    """The student alone, on a schedule `times` as long."""
    out = runs / f"baseline-x{times}-{seed}"
    return Job(out, (*TRIAL, "train", "--out", str(out), "--seed", str(seed), "--times", str(times)))


def distilled(runs: Path, name: str, seed: int, teacher: Path) -> Job:
    """The student with a method."""
    out = runs / f"{name}-{seed}"
    weight = json.loads(cost_file(runs, name).read_text(encoding="utf-8"))["weight"]
    weighted = () if weight is None else ("--weight", str(weight))
    arguments = ("--method", name, "--teacher", str(teacher), "--out", str(out), "--seed", str(seed))
    return Job(out, (*TRIAL, "train", *arguments, *weighted))


def cost_file(runs: Path, name: str) -> Path:
    """Where a method's cost is kept."""
    return runs / "cost" / f"{name}.json"


def is_done(out: Path) -> bool:
    """Whether a trial has its record."""
    return out.is_file() if out.suffix else (out / "trial.json").is_file()


def chosen(only: str | None) -> list[str]:
    """The methods to try.

    Raises:
        SegDistillError: If a name is not one.
    """
    names = applicable()
    for name in (only or "").split(",") if only else ():
        if name not in names:
            raise unknown("method for this table", name, names)
    return [name for name in names if not only or name in only.split(",")]


def train(runs: Path, names: Sequence[str], seeds: Sequence[int], teacher: Path, *, at_once: int) -> int:
    """Run what is missing.

    Returns:
        How many trials failed.
    """
    unmeasured = run(costs(runs, names, teacher), is_done=is_done, at_once=1, keep_going=True)
    trials = trainings(runs, names, seeds, teacher)
    return len(unmeasured) + len(run(trials, is_done=is_done, at_once=at_once, keep_going=True))


def report(runs: Path) -> None:
    """Write the record and the pages, and print the table."""
    from docs import pages

    record = collect(runs, applicable())
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    pages.write()
    print(table(record))


def main() -> int:
    """Train what is missing, then report what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--teacher", type=Path, default=Path("runs/polyp-lite/teacher"), help="its run folder"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/methods"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", metavar="NAME,NAME", help="these methods; the others stay as they are")
    parser.add_argument(
        "--jobs", type=int, default=1, help="trainings at once; each gets its share of the cores"
    )
    parser.add_argument("--collect", action="store_true", help="train nothing; report what is finished")
    options = parser.parse_args()
    try:
        names, failed = chosen(options.only), 0
        if not options.collect:
            check_teacher(options.runs, options.teacher)
            failed = train(options.runs, names, options.seeds, options.teacher, at_once=options.jobs)
        report(options.runs)
    except SegDistillError as error:
        print(error, file=sys.stderr)
        return 2
    if failed:
        say(f"{failed} trials failed; their logs lie beside their folders in {options.runs}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
