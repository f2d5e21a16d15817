"""Run folders as the engine writes them, made up in a millisecond."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest


def write_run(
    path: Path,
    *,
    epochs: int = 6,
    level: float = 0.85,
    terms: tuple[str, ...] = ("task",),
    images: int = 40,
    seed: int = 0,
) -> Path:
    """A run whose Dice rises towards `level`, with per-image scores on two test sets."""
    rng = np.random.default_rng(seed)
    path.mkdir(parents=True)
    rows = [_row(epoch, epochs, level, terms, rng) for epoch in range(1, epochs + 1)]
    header = ["epoch", "step", "lr", "seconds", "loss", *terms, "val_dice", "val_iou"]
    write_log(path, header, rows)
    dice = [row[-2] for row in rows]
    tests = {
        name: _scores(path, name, level - drop, images, seed)
        for name, drop in (("Kvasir", 0.02), ("CVC", 0.05))
    }
    metrics = {
        "best": {"epoch": int(np.argmax(dice)) + 1, "dice": max(dice), "iou": max(dice) - 0.06},
        "last": {"epoch": epochs, "dice": dice[-1], "iou": dice[-1] - 0.06},
        "selection": "dice on 145 validation images",
        "seconds": 93.0,
        "step0": {
            t: {"value": 0.9 / (i + 1), "share": 1 / len(terms), "gradient": 0.4} for i, t in enumerate(terms)
        },
        "tests": tests,
    }
    (path / "metrics.json").write_text(json.dumps(metrics))
    env = {
        "command": "segdistill train polyp-lite --out " + path.name,
        "python": "3.11.9",
        "gpu": None,
        "versions": {"torch": "2.15.0", "segdistill": "0.1.0"},
    }
    (path / "env.json").write_text(json.dumps(env))
    (path / "model.json").write_text(json.dumps({"parameters": 4_650_000, "gmac": 1.94}))
    (path / "config.yaml").write_text("task: Binary\ntraining:\n  epochs: 6\n")
    (path / "student.safetensors").write_bytes(weights({"head.weight": [40, 300], "bn.running_mean": [9]}))
    return path


def write_log(path: Path, header, rows) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    lines = [",".join(map(str, row)) for row in (header, *rows)]
    (path / "log.csv").write_text("\n".join(lines) + "\n")
    return path


def weights(shapes) -> bytes:
    """The smallest safetensors file with these tensors."""
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, shape in shapes.items():
        size = 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + bytes(offset)


def _row(epoch, epochs, level, terms, rng):
    dice = level * (1 - math.exp(-3 * epoch / epochs)) + rng.normal(0, 0.004)
    parts = [math.exp(-epoch / 4) / (i + 1) + 0.1 for i, _ in enumerate(terms)]
    values = [epoch, 100 * epoch, 1e-3, 15.5 * epoch, sum(parts), *parts, dice, dice - 0.06]
    return [round(float(v), 6) if i > 1 else v for i, v in enumerate(values)]


def _scores(path, name, mean, images, seed):
    # How hard an image is comes from its name, so that runs differ by their level and a little noise.
    hard = np.random.default_rng(len(name)).beta(1, 6, images)
    noise = np.random.default_rng(seed + 100).normal(0, 0.01, images)
    dice = np.clip(mean + 0.14 - hard + noise, 0, 1)
    (path / "scores").mkdir(exist_ok=True)
    lines = [f"{name.lower()}_{i:03d},{d:.5f},{d / (2 - d):.5f}" for i, d in enumerate(dice)]
    (path / "scores" / f"{name}.csv").write_text("id,dice,iou\n" + "\n".join(lines) + "\n")
    iou = dice / (2 - dice)
    return {"dice": float(dice.mean()), "iou": float(iou.mean()), "images": images, "protocol": "dice@0.5"}


@pytest.fixture(name="write_log")
def _write_log():
    return write_log


@pytest.fixture(name="write_run")
def _write_run():
    return write_run


@pytest.fixture
def runs(tmp_path) -> dict[str, Path]:
    """A teacher, a baseline and a distilled student."""
    return {
        "Teacher": write_run(tmp_path / "teacher", epochs=8, level=0.92),
        "Baseline": write_run(tmp_path / "baseline", level=0.88, seed=1),
        "Distilled": write_run(tmp_path / "distilled", level=0.9, terms=("task", "KD/logits"), seed=2),
    }
