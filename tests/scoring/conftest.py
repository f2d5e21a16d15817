"""Folders of small maps and masks, and a protocol that shows what it was fed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.metrics import DICE_AT_HALF, Protocol
from segdistill.scoring import score


class Fed:
    """A metric whose rows are what came in."""

    name = "seen"

    def __init__(self, any_size):
        self.seen, self.any_size = {}, any_size

    @property
    def rows(self):
        return [{"id": name, **self.seen[name]} for name in sorted(self.seen)]

    def update(self, predicted, target, ids, *, spacing=None):
        for p, t, name in zip(predicted, target, ids, strict=True):
            if p.shape != t.shape and not self.any_size:
                raise SegDistillError("The sizes differ.")
            self.seen[name] = {"predicted": p, "target": t, "spacing": spacing}

    def merge(self, other):
        self.seen |= other.seen

    def compute(self):
        return {"images": len(self.seen), "protocol": "seen", "version": 3, "notes": ["from compute"]}


@dataclass(frozen=True, kw_only=True)
class Seen(Protocol):
    """Scores nothing; reads what it is told to."""

    reads: str = "map"
    any_size: bool = False

    def metric(self, task=None):
        return Fed(self.any_size)


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """Score `pred` and `gt` by reading only: what a protocol of a kind is fed, by id, and the notes."""

    def look(
        reads: str, *, any_size: bool = False, first_channel_of: tuple[str, ...] = (), **options: Any
    ) -> tuple[dict[str, dict[str, Any]], list[str]]:
        monkeypatch.setattr("segdistill.scoring.results.plain", lambda value: value)
        protocol = Seen(
            name="seen",
            version=3,
            empty="",
            resize="",
            reference="",
            notes=("a trap",),
            reads=reads,
            any_size=any_size,
            first_channel_of=first_channel_of,
        )
        [scores] = score(tmp_path / "pred", tmp_path / "gt", [protocol], **options)
        return {row["id"]: row for row in scores.per_image["all"]}, scores.notes

    return look


@pytest.fixture
def write(tmp_path):
    """Write pixels below the test's folder, as the ending says; lists are 8 bits."""

    def save(path: str, values):
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".npy":
            np.save(target, values)
            return
        if not isinstance(values, Image.Image):
            array = np.asarray(values)
            values = Image.fromarray(array.astype(np.uint8) if array.itemsize == 8 else array)
        values.save(target)

    return save


@pytest.fixture
def discs(tmp_path, write):
    """Twenty pairs in two sets, predictions a little off; returns both folders."""
    rng = np.random.default_rng(0)
    for number in range(20):
        set_name, name = ("near", "far")[number % 2], f"frame_{number:02d}"
        mask = np.zeros((24, 30), np.uint8)
        y, x = rng.integers(0, 12, 2)
        mask[y : y + 9, x : x + 9] = 255
        write(f"gt/{set_name}/masks/{name}.png", mask)
        write(f"pred/{set_name}/{name}.png", np.roll(mask, int(rng.integers(0, 4)), axis=1))
    return tmp_path / "pred", tmp_path / "gt"


@pytest.fixture
def dice():
    return [DICE_AT_HALF]
