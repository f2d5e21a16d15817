#!/usr/bin/env python3
"""HD95 and surface Dice of cases of 512x512x100: ours against MONAI and surface-distance, of one interleaved run.

    python benchmarks/metrics_volumes.py [--rounds 5]

Needs `pip install monai surface-distance`. Every case is two rough ellipsoids at 2.5 x 0.8 x 0.8 mm; every round scores
it by each package in turn, one thread, from the label volumes to the numbers:

    case-3d           HD95 over edge voxels and over surface elements, NSD at 1 mm, Dice, volumes: all of the protocol
    kits23            the three hierarchical regions of KiTS23: here kidney only, the others being empty
    monai             compute_hausdorff_distance(percentile=95) and compute_surface_dice(use_subvoxels=True)
    monai voxels      the same with use_subvoxels=False, its default and cheaper
    surface-distance  compute_surface_distances, compute_robust_hausdorff and compute_surface_dice_at_tolerance

Prints and stores in benchmarks/results/metrics-volumes.json the median milliseconds of processor time, and the median
over rounds of the ratio to case-3d; what the packages find is compared first.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import math
import platform
import statistics
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from scipy.ndimage import zoom

from segdistill.metrics.volumes import CASE_3D, KITS23, Volumes
from segdistill.tasks import Binary

RESULTS = Path(__file__).with_name("results") / "metrics-volumes.json"
SHAPE, SPACING, TOLERANCE = (100, 512, 512), (2.5, 0.8, 0.8), 1.0
#: Radii, the shift of the prediction, and how rough both are, by what is about of that size.
CASES = {
    "tumour": ((6, 25, 25), (1, 2, -1), 0.12),
    "kidney": ((25, 60, 60), (1, 2, -1), 0.12),
    "kidney, good": ((25, 60, 60), (0, 1, 0), 0.03),
    "kidney, far off": ((25, 60, 60), (1, 44, 44), 0.12),
    "liver": ((38, 130, 150), (1, 2, -1), 0.12),
    "liver, good": ((38, 130, 150), (0, 1, 0), 0.03),
}
Step = Callable[[], Any]


def ellipsoid(centre: tuple[float, ...], radii: tuple[int, ...], *, rough: float, seed: int) -> np.ndarray:
    """A rough ellipsoid of label 1."""
    coarse = [max(4, size // 12) for size in SHAPE]
    noise = np.random.default_rng(seed).normal(size=coarse).astype(np.float32)
    field = rough * zoom(noise, [size / small for size, small in zip(SHAPE, coarse, strict=True)], order=1)
    for axis, size in enumerate(SHAPE):
        line = ((np.arange(size, dtype=np.float32) - centre[axis]) / radii[axis]) ** 2
        field += line.reshape([-1 if axis == other else 1 for other in range(3)])
    return (field < 1).astype(np.uint8)


def pair(radii: tuple[int, ...], shift: tuple[int, ...], rough: float) -> tuple[np.ndarray, np.ndarray]:
    """A prediction and the truth."""
    centre = tuple(size / 2 for size in SHAPE)
    moved = tuple(c + s for c, s in zip(centre, shift, strict=True))
    return ellipsoid(moved, radii, rough=rough, seed=1), ellipsoid(centre, radii, rough=rough, seed=2)


def protocol(which: Volumes, predicted: np.ndarray, target: np.ndarray) -> Step:
    """One of our protocols."""

    def step() -> dict[str, Any]:
        metric = which.metric(None if which.classes else Binary())
        metric.update([predicted], [target], ["case"], spacing=SPACING)
        return metric.compute()

    return step


def monai(predicted: np.ndarray, target: np.ndarray, *, subvoxels: bool) -> Step:
    """MONAI's two functions."""
    from monai.metrics import compute_hausdorff_distance, compute_surface_dice

    p, t = (torch.from_numpy(volume)[None, None] for volume in (predicted, target))
    common = {"include_background": True, "spacing": SPACING}

    def step() -> tuple[float, float]:
        hd = compute_hausdorff_distance(p, t, percentile=95, **common)
        nsd = compute_surface_dice(p, t, [TOLERANCE], use_subvoxels=subvoxels, **common)
        return hd.item(), nsd.item()

    return step


def surface_distance(predicted: np.ndarray, target: np.ndarray) -> Step:
    """The package of DeepMind."""
    import surface_distance as package

    def step() -> tuple[float, float]:
        distances = package.compute_surface_distances(target == 1, predicted == 1, SPACING)
        hd = package.compute_robust_hausdorff(distances, 95)
        return float(hd), float(package.compute_surface_dice_at_tolerance(distances, TOLERANCE))

    return step


def steps(predicted: np.ndarray, target: np.ndarray) -> dict[str, Step]:
    """Everything that is timed."""
    return {
        "case-3d": protocol(CASE_3D, predicted, target),
        "kits23": protocol(KITS23, predicted, target),
        "monai": monai(predicted, target, subvoxels=True),
        "monai voxels": monai(predicted, target, subvoxels=False),
        "surface-distance": surface_distance(predicted, target),
    }


def check(timed: dict[str, Step]) -> dict[str, float]:
    """Compare what is found; MONAI computes in single precision."""
    ours, theirs, elements = timed["case-3d"](), timed["monai"](), timed["surface-distance"]()
    pairs = [
        (ours["hd95_edge"], theirs[0]),
        (ours["nsd"], theirs[1]),
        (ours["hd95_surfel"], elements[0]),
        (ours["nsd"], elements[1]),
    ]
    if not all(math.isclose(a, b, rel_tol=1e-5) for a, b in pairs):
        raise SystemExit(f"The packages disagree: {pairs}")
    return {key: ours[key] for key in ("dice", "nsd", "hd95_edge", "hd95_surfel")}


def measure(timed: dict[str, Step], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of every step in every round; the order turns, so that no one is always first."""
    names, seconds = list(timed), {name: [] for name in timed}
    for turn in range(rounds):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.process_time()
            timed[name]()
            seconds[name].append(time.process_time() - start)
    return seconds


def summary(seconds: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Median milliseconds, and the median over rounds of what each takes in times of ours."""
    return {
        name: {
            "ms": round(1000 * statistics.median(values), 1),
            "times case-3d": round(
                statistics.median(v / o for v, o in zip(values, seconds["case-3d"], strict=True)), 2
            ),
        }
        for name, values in seconds.items()
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore")  # of the other packages, about themselves
    cases = {}
    for name, shape in CASES.items():
        timed = steps(*pair(*shape))
        cases[name] = {"scores": check(timed), "times": summary(measure(timed, options.rounds))}
        print(name, json.dumps(cases[name]), flush=True)
    ratios = [case["times"]["monai voxels"]["times case-3d"] for case in cases.values()]
    ratios += [case["times"]["monai"]["times case-3d"] for case in cases.values()]
    packages = ("monai", "surface-distance", "torch", "numpy", "scipy", "opencv-python-headless")
    result = {
        "command": f"python benchmarks/metrics_volumes.py --rounds {options.rounds}",
        "shape": list(SHAPE),
        "spacing_mm": list(SPACING),
        "cases": cases,
        "least_ratio_to_monai": min(ratios),
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
    }
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    print(f"MONAI takes at least {min(ratios)} times as long.")


if __name__ == "__main__":
    main()
