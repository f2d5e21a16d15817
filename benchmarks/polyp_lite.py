#!/usr/bin/env python3
"""Does distillation help? Teacher, baseline and distilled student of the recipe `polyp-lite`, on real images.

    SEGDISTILL_DATA=... python benchmarks/polyp_lite.py --seeds 0 1 2 --jobs 2

Trains what is missing under --runs, goes on where a run was stopped, and writes the results to
benchmarks/results/polyp-lite.json and the table of the README. One teacher serves all seeds; baseline and
student of one seed start from the same weights and see the same images in the same order.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.jobs import Job, segdistill  # noqa: E402
from benchmarks.jobs import run as run_jobs  # noqa: E402
from benchmarks.tables import markdown, one, summary  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "polyp-lite.json"
RECIPE = "polyp-lite"
ROLES = ("teacher", "baseline", "distilled")


def commands(runs: Path, seeds: Sequence[int]) -> dict[Path, list[str]]:
    """The command of every run, by its folder, in the order they should start."""
    teacher = runs / "teacher"
    jobs = {teacher: ["train", RECIPE, "--mode", "teacher", "--out", str(teacher)]}
    for seed in seeds:
        out = runs / f"baseline-{seed}"
        jobs[out] = ["train", RECIPE, "--out", str(out), "-o", f"training.seed={seed}"]
    for seed in seeds:
        out = runs / f"distilled-{seed}"
        jobs[out] = [
            "distill",
            RECIPE,
            "--teacher",
            str(teacher),
            "--out",
            str(out),
            "-o",
            f"training.seed={seed}",
        ]
    return jobs


def is_finished(run: Path) -> bool:
    """Whether a run has its scores."""
    return (run / "metrics.json").is_file()


def check(jobs: dict[Path, list[str]]) -> None:
    """Stop where a finished run is not what its command would train now."""
    from benchmarks.current import fault
    from segdistill.engine import Run

    teacher = next(iter(jobs))
    for run, arguments in jobs.items():
        wrong = is_finished(run) and fault(Run(run), configuration(arguments), teacher)
        if wrong:
            sys.exit(f"{run} was {wrong}: move it away, or name other --runs.")


def configuration(arguments: Sequence[str]) -> dict[str, Any]:
    """The complete configuration that a command trains."""
    from segdistill import config

    words = dict(zip(arguments[2::2], arguments[3::2], strict=True))
    recipe = config.override(config.read(RECIPE), [words["-o"]] if "-o" in words else [])
    if arguments[0] == "distill":
        return config.for_distillation(recipe, teacher=words["--teacher"])
    return config.for_training(recipe, "teacher" if words.get("--mode") == "teacher" else "student")


def train(jobs: dict[Path, list[str]], *, at_once: int) -> None:
    """Run what is missing; students wait for the teacher."""
    teacher = next(iter(jobs))
    pending = [
        Job(run, resumed(run, arguments), needs=teacher if arguments[0] == "distill" else None)
        for run, arguments in jobs.items()
    ]
    run_jobs(pending, is_done=is_finished, at_once=at_once)


def resumed(run: Path, arguments: list[str]) -> tuple[str, ...]:
    """The command of a run, going on where there is a checkpoint."""
    return segdistill([*arguments, *(["--resume"] if (run / "last.ckpt").is_file() else [])])


def collect(jobs: dict[Path, list[str]], runs: Path) -> dict[str, Any]:
    """All finished runs as one record: scores by role, set and seed, gains, and what made them."""
    from segdistill.engine import Run

    done = {run.name: Run(run) for run in jobs if is_finished(run)}
    by_role = {role: [run for name, run in done.items() if name.split("-")[0] == role] for role in ROLES}
    return {
        "recipe": RECIPE,
        "command": "python benchmarks/polyp_lite.py",
        "protocol": "dice@0.5",
        "networks": {role: network(found[0]) for role, found in by_role.items() if found},
        "scores": {role: scores(found) for role, found in by_role.items() if found},
        "gains": gains(by_role["baseline"], by_role["distilled"]),
        "runs": {
            name: {"metrics": run.metrics, "env": run.env | {"command": command(jobs[run.path])}}
            for name, run in done.items()
        },
    }


def command(arguments: Sequence[str]) -> str:
    """What to type for one run."""
    return " ".join(["segdistill", *arguments])


def network(run: Any) -> dict[str, Any]:
    """What a network is and costs, at its own input size."""
    from segdistill.models import cost

    tapped = run.student
    price = cost(tapped, tapped.size)
    return {
        "net": run.config["student"]["net"],
        "size": list(tapped.size),
        "parameters": price.parameters,
        "gmac": price.gmac,
    }


def scores(runs: Sequence[Any]) -> dict[str, Any]:
    """Mean, standard deviation over seeds and the single values, by set, epoch and measure."""
    tables = {
        "validation": ("best", "last"),
        **dict.fromkeys(runs[0].metrics["tests"], ("tests", "tests_last")),
    }
    return {
        name: {
            epoch: {
                measure: summary([pick(run, name, key)[measure] for run in runs])
                for measure in ("dice", "iou")
            }
            for epoch, key in zip(("best", "last"), keys, strict=True)
        }
        for name, keys in tables.items()
    }


def pick(run: Any, name: str, key: str) -> dict[str, float]:
    """One table of a run's metrics."""
    return run.metrics[key] if name == "validation" else run.metrics[key][name]


def gains(baseline: Sequence[Any], distilled: Sequence[Any]) -> dict[str, Any]:
    """Paired difference of the two on the seeds that both have, with the interval over images and seeds."""
    from segdistill.report import collect, gain

    seeds = {run.path.name.split("-")[1] for run in baseline} & {
        run.path.name.split("-")[1] for run in distilled
    }
    if not seeds:
        return {}
    pairs = [
        [run.path for run in runs if run.path.name.split("-")[1] in seeds] for runs in (baseline, distilled)
    ]
    before, after = (collect({role: paths}) for role, paths in zip(ROLES[1:], pairs, strict=True))
    found = {name: gain.gain(before, after, name) for name in baseline[0].metrics["tests"]}
    return {
        name: {
            "difference": g.difference,
            "low": g.low,
            "high": g.high,
            "images": g.images,
            "seeds": sorted(seeds),
        }
        for name, g in found.items()
        if g
    }


def table(record: dict[str, Any]) -> str:
    """The record as Markdown."""
    sets = list(next(iter(record["scores"].values())))
    head = ["", "parameters", "GMAC", *(f"{name} Dice / IoU" for name in sets)]
    rows = []
    for role, by_set in record["scores"].items():
        net = record["networks"][role]
        cells = [cell(by_set[name]["best"]) for name in sets]
        rows.append([role, f"{net['parameters'] / 1e6:.2f} M", f"{net['gmac']:.2f}", *cells])
    lines = [markdown(head, rows)]
    for name, g in record["gains"].items():
        lines.append(
            f"\nGain of distillation on {name}: {100 * g['difference']:+.2f} points of Dice "
            f"(95 % interval over {g['images']} images and {len(g['seeds'])} seeds "
            f"{100 * g['low']:+.2f} to {100 * g['high']:+.2f})."
        )
    return "\n".join(lines)


def cell(scores: dict[str, Any]) -> str:
    """Dice and IoU with their deviation over seeds."""
    return " / ".join(one(scores[measure]) for measure in ("dice", "iou"))


def write_readme(text: str) -> None:
    """Put the table between its markers."""
    path = ROOT / "README.md"
    page = path.read_text(encoding="utf-8")
    start, end = f"<!-- results:{RECIPE} -->", f"<!-- /results:{RECIPE} -->"
    before, rest = page.split(start)
    path.write_text(f"{before}{start}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")


def main() -> None:
    """Train what is missing, then report what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, default=Path("runs/polyp-lite"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=1, help="runs at once; each gets its share of the cores")
    parser.add_argument(
        "--collect", action="store_true", help="train nothing; report the runs that are finished"
    )
    options = parser.parse_args()
    jobs = commands(options.runs, options.seeds)
    check(jobs)
    if not options.collect:
        train(jobs, at_once=options.jobs)
    record = collect(jobs, options.runs)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    write_readme(table(record))
    print(table(record))


if __name__ == "__main__":
    main()
