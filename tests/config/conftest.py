"""A recipe with every section, of networks that build in a millisecond."""

from __future__ import annotations

import pytest


@pytest.fixture
def recipe():
    return {
        "name": "tiny",
        "task": "Binary",
        "data": {"synthetic": {"train": 4, "val": 2, "test": 2, "size": [32, 32]}},
        "teacher": {"net": {"toys.TinyNet": {"width": 8}}, "weights": "none"},
        "student": {"net": {"toys.TinyNet": {"width": 4}}, "weights": "none"},
        "method": [{"KD": {"temperature": 2}}, "LogitMSE"],
        "loss": "DiceBCE",
        "training": {"epochs": 2, "batch_size": 2, "lr": 0.01, "workers": 0},
        "teacher_training": {"epochs": 3},
    }
