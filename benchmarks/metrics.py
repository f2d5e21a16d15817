#!/usr/bin/env python3
"""What the polyp protocols cost against the definitions written down straightforwardly, and against pysodmetrics.

    python benchmarks/metrics.py [--rounds 5] [--pysod PYTHON]

Every line is the median over rounds of a ratio of CPU times, both sides measured in the same round. The
straightforward side (tests/metrics/pranet/transcription.py) allocates image-sized arrays all the time, and how long
that takes depends on what the process did before: each setting therefore runs in a process of its own, as an evaluator
of one data set does ("fresh"), and once more after the allocator has learnt to keep its memory ("settled").

    map      three quarters of the levels are 0, as in what networks write
    noise    no level is 0 anywhere: the distance transform has to see the whole image

What several processes gain is measured by benchmarks/metrics_processes.py, which this calls.

`--pysod` names the Python of an environment with pysodmetrics (see benchmarks/metrics_pysod.py). The results go to
benchmarks/results/metrics.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "metrics" / "pranet"))

import transcription  # noqa: E402

from segdistill.metrics.pranet import PRANET_MATLAB, PRANET_PY, metric  # noqa: E402

RESULTS = Path(__file__).with_name("results") / "metrics.json"
PROCESSES = Path(__file__).with_name("metrics_processes.py")
SIZES = ((352, 352), (966, 1225))
KINDS = ("map", "noise")
#: Images of the five test sets by height and width; Kvasir's vary around this.
BENCHMARK = {(288, 384): 62, (500, 574): 440, (966, 1225): 196, (530, 620): 100}
GOALS = {"everything": 140, "without weighted F": 1000, "pysodmetrics": 4, "798 images, seconds": 30}
#: Images that the fast side scores in a round, for each that the slow one does.
REPEAT = 5
Pair = tuple[np.ndarray, np.ndarray]


def scene(height: int, width: int, kind: str, seed: int = 0) -> Pair:
    """A map and the ground truth of a polyp on a ninth of the image."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((height, width), np.uint8)
    centre = int(width * rng.uniform(0.35, 0.65)), int(height * rng.uniform(0.35, 0.65))
    cv2.ellipse(truth, centre, (width // 6, height // 5), 20 * seed, 0, 360, 255, -1)
    if kind == "noise":
        return rng.integers(1, 256, (height, width), dtype=np.uint8), truth
    moved = np.roll(truth, (height // 40, width // 30), (0, 1)).astype(np.float32) / 255
    rough = cv2.GaussianBlur(rng.standard_normal((height, width), dtype=np.float32), (0, 0), height / 20)
    logits = 8 * cv2.GaussianBlur(moved, (0, 0), height / 60) - 7 + 0.7 * rough / rough.std()
    return np.rint(255 / (1 + np.exp(-logits))).astype(np.uint8), truth


def fast(pair: Pair, protocol: Any = PRANET_PY) -> dict[str, Any]:
    """Score as a user does: one image, all means."""
    scores = protocol.metric()
    scores.update([pair[0]], [pair[1]], ["image"])
    return scores.compute()


def without_weighted() -> contextlib.ExitStack:
    """Switch the weighted F-measure off, on both sides."""

    def nothing(*_: Any, **__: Any) -> float:
        return math.nan

    switched = contextlib.ExitStack()
    for module in (metric, transcription):
        switched.enter_context(mock.patch.object(module, "weighted_f", nothing))
    return switched


def seconds(work: Callable[[], Any], repeat: int = 1) -> float:
    """CPU time of one call, the mean of several."""
    start = time.process_time()
    for _ in range(repeat):
        work()
    return (time.process_time() - start) / repeat


def against_definitions(size: tuple[int, int], kind: str, rounds: int, *, settled: bool) -> dict[str, float]:
    """Median ratios and seconds of one setting; run in a process of its own."""
    pair = scene(*size, kind)
    if settled:
        np.ones(30 << 20, np.uint8).sum()  # as large as glibc allows; freed at once
    ours, slow = partial(fast, pair), partial(transcription.python, *pair)
    ours()
    parts = {"everything": contextlib.nullcontext, "without weighted F": without_weighted}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in parts}
    for turn in range(rounds):
        for name in list(parts)[:: 1 - 2 * (turn % 2)]:
            with parts[name]():
                first, slow_seconds = seconds(ours, REPEAT), seconds(slow)
                times[name].append(((first + seconds(ours, REPEAT)) / 2, slow_seconds))
    result = {}
    for name, measured in times.items():
        result[name] = statistics.median(b / a for a, b in measured)
        result[f"{name}, seconds"], result[f"{name}, transcription"] = map(
            statistics.median, zip(*measured, strict=True)
        )
    return result


def against_pysodmetrics(python: str, rounds: int) -> dict[str, Any]:
    """Median ratios with the MATLAB flavour, whose definitions pysodmetrics follows, and how far scores differ."""
    pairs = {f"{h}x{w} {kind}": scene(h, w, kind) for h, w in SIZES for kind in KINDS}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in pairs}
    apart = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for side, which in (("pred", 0), ("gt", 1)):
            (Path(folder) / side).mkdir()
            for name, pair in pairs.items():
                cv2.imwrite(str(Path(folder) / side / f"{name}.png"), pair[which])
        command = [python, "-W", "ignore", str(Path(__file__).with_name("metrics_pysod.py")), folder]
        for _ in range(rounds):
            told = subprocess.run([*command, "--rounds", "3"], check=True, capture_output=True, text=True)
            theirs = json.loads(told.stdout)
            for name, pair in pairs.items():
                work = partial(fast, pair, PRANET_MATLAB)
                times[name].append((seconds(work, REPEAT), theirs["images"][name]["seconds"]))
                scores, same = work(), theirs["images"][name]["scores"]
                apart = max(apart, *(abs(scores[key] - value) for key, value in same.items()))
    ratios = {name: statistics.median(b / a for a, b in measured) for name, measured in times.items()}
    return {"ratios": ratios, "largest difference": apart, "versions": theirs["versions"]}


def benchmark_files() -> Iterator[tuple[bytes, bytes]]:
    """798 pairs of PNG files; five different ones of every size."""
    for (height, width), count in BENCHMARK.items():
        files = []
        for seed in range(5):
            pair = scene(height, width, "map", seed)
            files.append(tuple(cv2.imencode(".png", image)[1].tobytes() for image in pair))
        for number in range(count):
            yield files[number % 5]


def whole_benchmark() -> dict[str, float]:
    """Decode and score 798 images; what it takes, and what the metric keeps."""
    scores, spent, most = PRANET_PY.metric(), 0.0, []
    for number, files in enumerate(benchmark_files()):
        start = time.process_time()
        pair = [cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) for data in files]
        scores.update([pair[0]], [pair[1]], [str(number)])
        spent += time.process_time() - start
        most.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    spent += seconds(lambda: (scores.compute(), scores.rows))
    large = sum(list(BENCHMARK.values())[:2]) + 20  # the largest images have been seen
    return {
        "seconds": spent,
        "images": len(most),
        "kept bytes per image": len(pickle.dumps(scores)) / len(most),
        "peak memory grows by MiB over the last images": (most[-1] - most[large]) / 1024,
    }


def child(*arguments: str, script: Path | str = __file__) -> Any:
    """Run a part of this file, or another, in a fresh process."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


def report(rounds: int, pysod: str | None) -> dict[str, Any]:
    """Measure everything, and print it."""
    settings = {}
    for height, width in SIZES:
        for kind in KINDS:
            for state in ("fresh", "settled"):
                name = f"{height}x{width} {kind}, {state}"
                settings[name] = child("--rounds", str(rounds), "--part", f"{height},{width},{kind},{state}")
                print(
                    f"{name:<26}"
                    + "".join(
                        f"  {what} {1000 * settings[name][f'{what}, seconds']:6.2f} ms {settings[name][what]:6.0f}x"
                        for what in ("everything", "without weighted F")
                    ),
                    flush=True,
                )
    record: dict[str, Any] = {"against the definitions": settings, "798 images": child("--part", "798")}
    print("798 images", {key: round(value, 2) for key, value in record["798 images"].items()}, flush=True)
    record["processes"] = child("--rounds", str(rounds), script=PROCESSES)
    print("processes", record["processes"], flush=True)
    if pysod:
        record["against pysodmetrics"] = against_pysodmetrics(pysod, rounds)
        print("against pysodmetrics", record["against pysodmetrics"])
    return record


def verdicts(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The worst figure for every goal."""
    settings = record["against the definitions"]
    worst = {
        f"{what}, {state}": (
            min(value[what] for name, value in settings.items() if name.endswith(state)),
            GOALS[what],
        )
        for what in ("everything", "without weighted F")
        for state in ("fresh", "settled")
    }
    if "against pysodmetrics" in record:
        worst["pysodmetrics"] = min(record["against pysodmetrics"]["ratios"].values()), GOALS["pysodmetrics"]
    told = {
        name: {"worst": value, "goal": goal, "met": value >= goal} for name, (value, goal) in worst.items()
    }
    spent, most = record["798 images"]["seconds"], GOALS["798 images, seconds"]
    return told | {"798 images, seconds": {"worst": spent, "goal": most, "met": spent <= most}}


def main() -> None:
    """Measure, print and store; or run one part, for `child`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pysod", metavar="PYTHON")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    warnings.simplefilter("ignore")
    if options.part == "798":
        print(json.dumps(whole_benchmark()))
    elif options.part:
        height, width, kind, state = options.part.split(",")
        size = int(height), int(width)
        told = against_definitions(size, kind, options.rounds, settled=state == "settled")
        print(json.dumps(told))
    else:
        from segdistill.engine.environment import environment

        record = report(options.rounds, options.pysod)
        goals = verdicts(record)
        for name, verdict in goals.items():
            print(
                f"{name:<32} {verdict['worst']:8.1f}  goal {verdict['goal']:5}  {'met' if verdict['met'] else 'MISSED'}"
            )
        # Where the other environment lies means nothing on another machine.
        env = environment() | {
            "command": f"metrics.py --rounds {options.rounds}{' --pysod PYTHON' * bool(options.pysod)}"
        }
        record = {"goals": goals, **record, "env": env}
        RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
