#!/usr/bin/env python3
"""What exporting gains: milliseconds per frame of the polyp recipes' students, by PyTorch and by ONNX Runtime.

    python benchmarks/export_speed.py [--threads 1] [--rounds 20] [RECIPE ...]

The weights are drawn, since they cost no time. Every network works at its recipe's size, on a frame of 512 x 448
pixels that comes as uint8 and goes as a mask of that size. All are timed in turn within one run; the figures are
medians, and a ratio is the median of the rounds' ratios. Prints and stores them in
benchmarks/results/export-speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from segdistill import Tapped, config, models  # noqa: E402
from segdistill.data import SyntheticSet  # noqa: E402
from segdistill.engine.environment import environment  # noqa: E402
from segdistill.export import OnnxPredictor, Predictor, TorchPredictor, export_onnx  # noqa: E402
from segdistill.viz import Image  # noqa: E402

RESULTS = Path(__file__).with_name("results") / "export-speed.json"
RECIPES = ("polyp-lite", "polyp-mobilenet", "kdas3")
FRAME = (448, 512)
WARM_UP = 2

WAYS = ("PyTorch", "ONNX Runtime")
Way = tuple[str, str]  # a recipe, and what runs its student


def student(recipe: str) -> Tapped:
    """The student of a recipe, with drawn weights."""
    full = config.complete(config.read(recipe))
    return config.build_network({**full["student"], "weights": "none"}, task=config.build_task(full["task"]))


def predictors(recipe: str, net: Tapped, folder: Path, threads: int) -> dict[Way, Predictor]:
    """Every way to run a student."""
    task = config.build_task(config.read(recipe)["task"])
    exported = export_onnx(net, task, folder / f"{recipe}.onnx").path
    found = (TorchPredictor(net, task), OnnxPredictor(exported, threads=threads))
    return {(recipe, way): predictor for way, predictor in zip(WAYS, found, strict=True)}


def timed(ways: Mapping[Way, Predictor], frame: Image, rounds: int) -> dict[Way, list[float]]:
    """Seconds of every way in every round, one after the other."""
    seconds: dict[Way, list[float]] = {way: [] for way in ways}
    for turn in range(WARM_UP + rounds):
        for way, predictor in ways.items():
            start = time.perf_counter()
            predictor(frame)
            if turn >= WARM_UP:
                seconds[way].append(time.perf_counter() - start)
    return seconds


def summary(net: Tapped, seconds: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """What a student is, what each way takes, and what exporting gains.

    Args:
        net: The student.
        seconds: By way, those of every round.
    """
    assert net.size is not None  # these recipes have one
    parameters, macs, size = models.cost(net, net.size)
    ratios = [slow / fast for slow, fast in zip(*seconds.values(), strict=True)]
    return {
        "parameters": parameters,
        "gmac": macs / 1e9,
        "size": list(size),
        "milliseconds": {way: 1000 * statistics.median(values) for way, values in seconds.items()},
        "gain": statistics.median(ratios),
    }


def show(recipe: str, row: Mapping[str, Any]) -> None:
    """Print a student."""
    side = " x ".join(map(str, row["size"]))
    print(f"{recipe}: {row['parameters'] / 1e6:.2f} M parameters, {row['gmac']:.2f} GMAC at {side}")
    took = ", ".join(f"{way} {value:.1f} ms" for way, value in row["milliseconds"].items())
    print(f"    {took}: {row['gain']:.2f} times as fast")


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipes", nargs="*", default=list(RECIPES), metavar="RECIPE")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    os.environ.setdefault("SEGDISTILL_DATA", "unused")  # the recipes name it, and nothing reads data here
    torch.set_num_threads(options.threads)
    frame = SyntheticSet(1, size=FRAME).arrays(0)[0]
    networks = {recipe: student(recipe) for recipe in options.recipes}
    with tempfile.TemporaryDirectory() as folder:
        ways: dict[Way, Predictor] = {}
        for recipe, net in networks.items():
            ways |= predictors(recipe, net, Path(folder), options.threads)
        seconds = timed(ways, frame, options.rounds)
    found = {
        recipe: summary(net, {way: seconds[recipe, way] for way in WAYS}) for recipe, net in networks.items()
    }
    for recipe, row in found.items():
        show(recipe, row)
    settings = {
        "frame": list(FRAME),
        "threads": options.threads,
        "rounds": options.rounds,
        "onnxruntime": version("onnxruntime"),
    }
    record = {"settings": settings, "students": found, "env": environment()}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
