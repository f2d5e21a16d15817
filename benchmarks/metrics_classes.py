#!/usr/bin/env python3
"""Mean IoU, boundary IoU and calibration against straightforward transcriptions of their definitions.

    python benchmarks/metrics_classes.py [--rounds 9]

Prints the median over rounds of process time per image, and of the ratio to the transcription in the same round.
The transcriptions go through the classes (bins) one by one, with whole-image masks; the boundary of a class is what
3x3 erosions take away, as many as it is wide. Both sides give the same numbers, which is checked first.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from segdistill.metrics import Calibration
from segdistill.metrics.miou import MIOU
from segdistill.metrics.miou.boundary import boundary_width
from segdistill.tasks import Multiclass

Mask = NDArray[np.uint8]
#: Height, width and classes of CamVid, and of PASCAL VOC at 513.
SETTINGS = ((360, 480, 11), (513, 684, 21))
KERNEL = np.ones((3, 3), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(1)
    for height, width, classes in SETTINGS:
        images = [blobs(height, width, classes, seed) for seed in (0, 1)]
        sides = (partial(side, *images, classes) for side in (ours, naive))
        report(f"miou {width}x{height}, {classes} classes", *sides, rounds=rounds)
        sides = (partial(side, *foreground(height, width)) for side in (calibrated, naive_calibrated))
        report(f"calibration {width}x{height}", *sides, rounds=rounds)


def report(title: str, fast: Callable[[], Any], slow: Callable[[], Any], *, rounds: int) -> None:
    np.testing.assert_allclose(fast(), slow(), rtol=1e-5)
    times = [(seconds(fast), seconds(slow)) for _ in range(rounds)]
    ours_, theirs = (1000 * statistics.median(side) for side in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    print(f"{title:<32} {ours_:7.2f} ms  transcription {theirs:8.2f} ms  {ratio:6.1f}x")


def seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def ours(predicted: Mask, target: Mask, classes: int) -> tuple[float, ...]:
    metric = MIOU.metric(Multiclass(tuple(map(str, range(classes)))))
    metric.update([predicted], [target], ["a"])
    found = metric.compute()
    return tuple(found[key] for key in ("miou", "fwiou", "pixel_accuracy", "class_accuracy", "boundary_miou"))


def naive(predicted: Mask, target: Mask, classes: int) -> tuple[float, ...]:
    valid = target != 255
    ious, weights, accuracies, near = [], [], [], []
    for label in range(classes):
        p, t = (predicted == label) & valid, (target == label) & valid
        if not (p | t).any():
            continue
        ious.append((p & t).sum() / (p | t).sum())
        weights.append(t.sum() / valid.sum())
        if t.any():
            accuracies.append((p & t).sum() / t.sum())
        bp, bt = naive_boundary(p), naive_boundary(t)
        near.append((bp & bt).sum() / (bp | bt).sum())
    fwiou = sum(w * iou for w, iou in zip(weights, ious, strict=True))
    pixel = ((predicted == target) & valid).sum() / valid.sum()
    return tuple(map(float, (np.mean(ious), fwiou, pixel, np.mean(accuracies), np.mean(near))))


def naive_boundary(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    padded = np.pad(mask.astype(np.uint8), 1)
    kept = cv2.erode(padded, KERNEL, iterations=boundary_width(*mask.shape, 0.02))
    return mask & ~kept[1:-1, 1:-1].astype(bool)


def calibrated(p: NDArray[np.float32], t: Mask) -> tuple[float, ...]:
    metric = Calibration()
    metric.update([p], [t], ["a"])
    found = metric.compute()
    return found["ece"], found["ece_top_label"], found["brier"]


def naive_calibrated(p: NDArray[np.float32], t: Mask) -> tuple[float, ...]:
    right = (p > 0.5) == t
    errors = (naive_error(p, t == 1), naive_error(np.maximum(p, 1 - p), right))
    return *errors, float(np.square(p.astype(np.float64) - t).mean())


def naive_error(confidence: NDArray[np.float32], came_true: NDArray[np.bool_]) -> float:
    total, edges = 0.0, np.linspace(0, 1, 16, dtype=np.float32)
    for low, high in itertools.pairwise(edges):
        inside = (confidence >= low) & ((confidence < high) | (high == 1))
        if inside.any():
            gap = confidence[inside].mean(dtype=np.float64) - came_true[inside].mean()
            total += inside.sum() * abs(gap)
    return total / confidence.size


def blobs(height: int, width: int, classes: int, seed: int) -> Mask:
    """Smooth regions of all classes."""
    noise = np.random.default_rng(seed).random((9, 12)).astype(np.float32)
    smooth = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    edges = np.quantile(smooth, np.linspace(0, 1, classes + 1)[1:-1])
    return np.digitize(smooth, edges).astype(np.uint8)


def foreground(height: int, width: int) -> tuple[NDArray[np.float32], Mask]:
    """Probabilities that are a little too sure, and what came true."""
    rng = np.random.default_rng(2)
    p = cv2.resize(rng.random((9, 12)).astype(np.float32), (width, height))
    sure = (p**2 / (p**2 + (1 - p) ** 2)).astype(np.float32)
    return sure, (rng.random(p.shape) < p).astype(np.uint8)


if __name__ == "__main__":
    main()
