#!/usr/bin/env python3
"""How fast the students are, and those of the two projects: one interleaved run, medians.

    python benchmarks/polyp_results/speed.py --out runs/polyp/speed.json

Every round times every network, at its own size and at 352 pixels, so that what slows the machine slows all of them.
Weights do not matter and are drawn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402

from benchmarks.polyp_results.cells import RECIPE, students  # noqa: E402
from benchmarks.polyp_results.smoke import OVERRIDES  # noqa: E402
from segdistill import Tapped, config, models  # noqa: E402
from segdistill.engine import speed  # noqa: E402
from segdistill.engine.environment import environment  # noqa: E402
from segdistill.export.files import write_json  # noqa: E402

#: The students of both projects: their networks, at the size their code runs them at.
ORIGINALS: dict[str, tuple[dict[str, Any], int]] = {
    "KDAS3": ({"PolypPVT": {"backbone": "pvt_v2_b0"}}, 352),
    "MobileNetV2 project": ({"smp.Unet": {"encoder_name": "mobilenet_v2"}}, 320),
}
COMMON = 352

Key = tuple[str, int]


def own_sizes(*, rehearse: bool) -> dict[str, tuple[dict[str, Any], int]]:
    """Every network by name, and the size it runs at."""
    recipes = {
        student.name: config.override(
            config.read(RECIPE), [*student.overrides, *(OVERRIDES if rehearse else ())]
        )
        for student in students()
    }
    ours = {name: (each["student"]["net"], each["student"]["size"][0]) for name, each in recipes.items()}
    return {**ours, **ORIGINALS}


def load(spec: dict[str, Any], side: int) -> Tapped:
    """A network with drawn weights."""
    return models.load(spec, classes=1, weights="none", size=side)


def measure(networks: dict[Key, Tapped], rounds: int) -> dict[Key, list[float]]:
    """Milliseconds of every network at every size in every round."""
    found: dict[Key, list[float]] = {key: [] for key in networks}
    for _ in range(rounds):
        for key, net in networks.items():
            found[key].append(1000 * speed(net, torch.zeros(3, key[1], key[1]), budget=0).seconds)
    return found


def numbers(net: Tapped, side: int, milliseconds: list[float]) -> dict[str, Any]:
    """What is recorded of one network at one size."""
    price, middle = models.cost(net, (side, side)), statistics.median(milliseconds)
    return {
        "size": side,
        "parameters": price.parameters,
        "gmac": price.gmac,
        "fps": 1000 / middle,
        "milliseconds": middle,
        "rounds": [round(each, 3) for each in milliseconds],
    }


def main() -> None:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--smoke", action="store_true", help="the students at the size of a rehearsal")
    options = parser.parse_args()
    own = own_sizes(rehearse=options.smoke)
    networks = {
        (name, side): load(spec, side) for name, (spec, size) in own.items() for side in {size, COMMON}
    }
    busy, found = os.getloadavg()[0], measure(networks, options.rounds)
    rows = {key: numbers(net, key[1], found[key]) for key, net in networks.items()}
    write_json(
        options.out,
        {
            "networks": {
                name: {**rows[name, size], "common": rows[name, COMMON]} for name, (_, size) in own.items()
            },
            "rounds": options.rounds,
            "busy": busy,  # processes that wanted a core in the minute before
            "env": environment(),
        },
    )


if __name__ == "__main__":
    main()
