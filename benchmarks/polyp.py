#!/usr/bin/env python3
"""The students of two polyp projects, alone and distilled, beside the published numbers.

    SEGDISTILL_DATA=... python benchmarks/polyp.py [--only pvt-b0,KDAS] [--seeds 0 1 2] [--jobs 2]

Trains what is missing under runs/polyp (the teacher, too), goes on where a training was stopped, scores what is
finished, and writes benchmarks/results/polyp.json and docs/results-polyp.md from it. Every cell of the table is one run
folder and one command, which the page shows. It may be killed at any time and started again. Trainings that
benchmarks/polyp_lite.py makes, too, are shared with it. Speed is measured first, while nothing is trained, and once:
delete runs/polyp/speed.json to measure again. --collect trains nothing; --smoke rehearses everything on a few small
images, and writes under runs/polyp-smoke alone.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import polyp_lite  # noqa: E402
from benchmarks.jobs import Job, run, say, segdistill  # noqa: E402
from benchmarks.polyp_results import cells, scoring, smoke  # noqa: E402
from benchmarks.polyp_results.best import best  # noqa: E402
from benchmarks.polyp_results.cells import KDAS, MOBILENET, Cell, Grid  # noqa: E402
from benchmarks.polyp_results.page import page  # noqa: E402
from benchmarks.polyp_results.record import collect  # noqa: E402
from benchmarks.polyp_results.speed import own_sizes  # noqa: E402
from segdistill.core import SegDistillError  # noqa: E402
from segdistill.export.files import write_json, write_text  # noqa: E402

RUNS, TEACHER = Path("runs/polyp"), Path("runs/polyp-lite/teacher")
REHEARSAL = Path("runs/polyp-smoke")
RESULTS = ROOT / "benchmarks" / "results" / "polyp.json"
PAGE = ROOT / "docs" / "results-polyp.md"


def grid(options: argparse.Namespace) -> Grid:
    """The table that is asked for."""
    chosen = best(options.best)
    fixed = (KDAS, MOBILENET)
    return Grid(
        runs=REHEARSAL if options.smoke else RUNS,
        teacher=options.teacher or (REHEARSAL / "teacher" if options.smoke else TEACHER),
        students=cells.students(options.pvt_weights),
        methods=fixed if chosen.name in {each.name for each in fixed} else (*fixed, chosen),
        seeds=options.seeds,
        extra=smoke.OVERRIDES if options.smoke else (),
    )


def trainings(table: Grid, chosen: Sequence[Cell]) -> list[Job]:
    """Every training, and its scoring as soon as it is finished."""
    jobs = [Job(table.teacher, segdistill(resumed(table.teacher_arguments)))]
    jobs.append(scoring.scoring(table.runs, table.teacher))
    for cell in chosen:
        jobs.append(Job(cell.out, segdistill(resumed(cell.arguments)), needs=cell.teacher))
        jobs.append(scoring.scoring(table.runs, cell.out))
    return jobs


def resumed(arguments: Sequence[str]) -> list[str]:
    """A command that goes on where there is something to go on with, and else begins."""
    return [*arguments, "--resume"]


def timing(table: Grid) -> Job:
    """Measure how fast the networks are."""
    out = table.runs / "speed.json"
    program = str(ROOT / "benchmarks" / "polyp_results" / "speed.py")
    rehearsal = ("--smoke", "--rounds", "2") if table.extra else ()
    return Job(out, (sys.executable, program, "--out", str(out), *rehearsal))


def is_timed(out: Path, *, rehearse: bool) -> bool:
    """Whether the networks of the table have been timed, at the sizes they run at."""
    networks = json.loads(out.read_text(encoding="utf-8"))["networks"] if out.is_file() else {}
    wanted = own_sizes(rehearse=rehearse)
    return all(networks.get(name, {}).get("size") == side for name, (_, side) in wanted.items())


def work(table: Grid, chosen: Sequence[Cell], *, at_once: int, train: bool) -> int:
    """Run what is missing; or, of what is trained, the scoring alone.

    Returns:
        How many jobs failed.
    """
    jobs = trainings(table, chosen)
    scored = {job.out: job.needs for job in jobs if job.needs and job.out.suffix == ".json"}

    def is_done(out: Path) -> bool:
        return scoring.is_scored(out, scored[out]) if out in scored else polyp_lite.is_finished(out)

    if not train:
        jobs = [job for job in jobs if job.out in scored and polyp_lite.is_finished(scored[job.out])]
        return len(run(jobs, is_done=is_done, at_once=at_once, keep_going=True))
    # Alone, before anything else runs: what shares the machine with a stopwatch is measured, too.
    timed = run(
        [timing(table)], is_done=partial(is_timed, rehearse=bool(table.extra)), at_once=1, keep_going=True
    )
    return len(timed) + len(run(jobs, is_done=is_done, at_once=at_once, keep_going=True))


def report(table: Grid, *, rehearse: bool) -> Path:
    """Write the record and the page."""
    record = collect(table, table.runs / "speed.json")
    if record["left_out"]:
        say(
            f"{len(record['left_out'])} of {record['trainings']} trainings are not in the tables; the page says why"
        )
    results, text = (table.runs / "polyp.json", table.runs / "page.md") if rehearse else (RESULTS, PAGE)
    write_json(results, record)
    return write_text(text, page(record))


def parse() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--teacher", type=Path, help=f"its run folder; {TEACHER}, trained if it is not there")
    parser.add_argument(
        "--best", metavar="NAME", help="method of the last column; that of methods.json, else KD+AT"
    )
    parser.add_argument(
        "--pvt-weights", metavar="FILE", help="ImageNet weights of pvt_v2_b0; else it starts at random"
    )
    parser.add_argument("--only", metavar="NAME,NAME", help="train these students and methods alone")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument(
        "--jobs", type=int, default=1, help="trainings at once; each gets its share of the cores"
    )
    parser.add_argument(
        "--collect", action="store_true", help="train nothing; score and report what is finished"
    )
    parser.add_argument("--smoke", action="store_true", help="one epoch of three steps each, at 64 pixels")
    return parser.parse_args()


def main() -> int:
    """Train what is missing, then report what there is."""
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit("stopped")
    )  # so that trainings are stopped, and saved, too
    options = parse()
    if options.smoke:
        smoke.copy(scoring.data(), REHEARSAL / "data" / "polyp")
        os.environ["SEGDISTILL_DATA"] = str(REHEARSAL / "data")
    try:
        scoring.data()
        table = grid(options)
        chosen = cells.only(table.cells(), options.only)
        failed = work(table, chosen, at_once=options.jobs, train=not options.collect)
        written = report(table, rehearse=options.smoke)
    except SegDistillError as error:
        print(error, file=sys.stderr)
        return 2
    say(f"wrote {written}")
    if failed:
        say(f"{failed} jobs failed or could not start; their logs lie beside their folders in {table.runs}")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
