"""Score every finished training by the protocols of the table: one `segdistill evaluate` each."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks.jobs import Job, segdistill
from benchmarks.polyp_lite import is_finished
from segdistill.data.polyp import TESTS

PROTOCOLS = ("pranet-py", "dice@0.5")


def data() -> Path:
    """The folder of the polyp images."""
    root = os.environ.get("SEGDISTILL_DATA")
    if not root:
        sys.exit("SEGDISTILL_DATA is not set: name the folder that holds polyp/.")
    return Path(root) / "polyp"


def present() -> list[str]:
    """The benchmark's test sets that are there."""
    return [name for name in TESTS if (data() / "TestDataset" / name / "images").is_dir()]


def score_file(runs: Path, run: Path, protocol: str | None = None) -> Path:
    """Where the scores of a run lie, by protocol; without one, what `--json` is told."""
    name = f"{run.parent.name}-{run.name}"  # runs of two benchmarks may share theirs
    return runs / "scores" / (f"{name}-{protocol}.json" if protocol else f"{name}.json")


def scoring(runs: Path, run: Path) -> Job:
    """Score a run, as soon as it is finished."""
    out = score_file(runs, run)
    place = ["--data", str(data() / "TestDataset"), "--json", str(out)]
    return Job(out, segdistill(["evaluate", str(run), *place, "--protocol", ",".join(PROTOCOLS)]), needs=run)


def is_scored(out: Path, run: Path) -> bool:
    """Whether the scores are of the run as it is, on all the sets that are there."""
    if not is_finished(run):
        return False
    files = [out.with_name(f"{out.stem}-{protocol}.json") for protocol in PROTOCOLS]
    finished = (run / "metrics.json").stat().st_mtime
    return all(
        file.is_file() and file.stat().st_mtime >= finished and set(sets(file)) >= set(present())
        for file in files
    )


def sets(file: Path) -> dict[str, dict[str, float]]:
    """Means by test set, of the one run in a file of scores."""
    [scores] = json.loads(file.read_text(encoding="utf-8")).values()
    return scores
