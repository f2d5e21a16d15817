#!/usr/bin/env python3
"""What a training sample costs: ours and the same chain of torchvision transforms, interleaved, on one thread.

    python benchmarks/augment_cost.py [--rounds 200] [--size 256]

Prints and stores in benchmarks/results/augment-cost.json the median milliseconds per sample, and their ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import cv2
import torch
from torchvision.transforms import v2

from segdistill.data import Augment, SyntheticSet
from segdistill.engine.environment import environment

RESULTS = Path(__file__).with_name("results") / "augment-cost.json"


def torchvisions(size: int) -> Any:
    """Flips, rotation, zoom, shift and colour with the options of `Augment`."""
    warp = v2.RandomAffine(
        90, translate=(0.06, 0.06), scale=(0.75, 1.25), interpolation=v2.InterpolationMode.BILINEAR
    )
    return v2.Compose(
        [
            v2.Resize((size, size)),
            v2.RandomHorizontalFlip(),
            v2.RandomVerticalFlip(),
            v2.RandomApply([warp]),
            v2.ColorJitter(brightness=0.2, contrast=0.2, saturation=0.3),
        ]
    )


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--size", type=int, default=256)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    samples = [SyntheticSet(8, size=(options.size, options.size))[index] for index in range(8)]
    chains = {"segdistill": Augment(options.size), "torchvision": torchvisions(options.size)}
    seconds: dict[str, list[float]] = {name: [] for name in chains}
    for turn in range(options.rounds):
        for name, chain in chains.items():
            start = time.perf_counter()
            chain(samples[turn % 8])
            seconds[name].append(time.perf_counter() - start)
    middle = {name: 1000 * statistics.median(values) for name, values in seconds.items()}
    ratio = middle["torchvision"] / middle["segdistill"]
    print(*(f"{name:12s} {value:6.2f} ms" for name, value in middle.items()), f"ratio {ratio:.1f}", sep="\n")
    record = {
        "command": "python benchmarks/augment_cost.py",
        "milliseconds": middle,
        "ratio": ratio,
        "env": environment(),
    }
    RESULTS.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
