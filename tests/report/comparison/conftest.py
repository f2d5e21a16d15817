"""Finished runs with scores per image that a test chooses."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def scored(tmp_path):
    """Write a run folder: `scored("a", {"test": {"x": 0.5}}, seed=0)`; returns its path."""

    def write(name, sets, *, seed=0, protocol="dice@0.5", version=1, net="small"):
        run = tmp_path / name
        (run / "scores").mkdir(parents=True)
        for dataset, dice in sets.items():
            lines = [f"{image},{value!r}" for image, value in dice.items()]
            (run / "scores" / f"{dataset}.csv").write_text("\n".join(["id,dice", *lines]) + "\n")
        tests = {dataset: {"protocol": protocol, "version": version} for dataset in sets}
        (run / "metrics.json").write_text(json.dumps({"tests": tests}))
        if seed is not None:
            config = f"data:\n  seed: 99\nnet: {net}\ntraining:\n  epochs: 2\n  seed: {seed}\n  lr: 1\n"
            (run / "config.yaml").write_text(config)
        return run

    return write


@pytest.fixture
def no_stripes(monkeypatch):
    """On sheets, leave the colours to the outlines, and the width to the pictures."""
    for name in ("_STRIPE", "_READABLE"):
        monkeypatch.setattr(f"segdistill.report.comparison.sheet.{name}", 0)
