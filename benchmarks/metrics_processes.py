#!/usr/bin/env python3
"""What a second process gains: `segdistill score`'s own work over folders of PNG files, by the clock.

    python benchmarks/metrics_processes.py [--rounds 3] [--store]

One process and two take turns over the same 300 pairs, of the benchmark's sizes in its proportions, with the start of
the processes included. The figures are printed as JSON; `--store` puts them into benchmarks/results/metrics.json and
keeps the rest of it. A loaded machine has no core for the second process: the load is recorded beside the figures.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

import cv2

from metrics import RESULTS, benchmark_files
from segdistill.metrics.pranet import PRANET_PY
from segdistill.scoring import Scores, score

FILES = 300


def write_files(folder: Path) -> None:
    """Write the pairs below `pred` and `gt`."""
    every = list(benchmark_files())
    for number in range(FILES):
        for side, data in zip(("pred", "gt"), every[number * len(every) // FILES], strict=True):
            path = folder / side / f"{number:04d}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)


def timed(folder: Path, workers: int) -> tuple[float, Scores]:
    """Seconds that so many processes take, and what comes of it."""
    start = time.perf_counter()
    [scores] = score(folder / "pred", folder / "gt", [PRANET_PY], workers=workers)
    return time.perf_counter() - start, scores


def measure(rounds: int) -> dict[str, object]:
    """One process against two."""
    cv2.setNumThreads(1)  # as in the processes that `score` starts
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder))
        turns = [(timed(Path(folder), 1), timed(Path(folder), 2)) for _ in range(rounds)]
    same = all(one == two for (_, one), (_, two) in turns)
    return {
        "images": FILES,
        "1 process, seconds": statistics.median(one for (one, _), _ in turns),
        "2 processes, seconds": statistics.median(two for _, (two, _) in turns),
        "ratio": statistics.median(one / two for (one, _), (two, _) in turns),
        "same results": same,
        "usable cores": len(os.sched_getaffinity(0)),
        "load average": os.getloadavg()[0],
    }


def main() -> None:
    """Measure, print, and store if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    found = measure(options.rounds)
    print(json.dumps(found))
    if options.store:
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
        RESULTS.write_text(json.dumps(record | {"processes": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":  # the processes import this file, too
    main()
