"""A rehearsal of the whole table in minutes: a few small images, one epoch of three steps."""

from __future__ import annotations

import shutil
from pathlib import Path

from segdistill.data.polyp import polyp_tests, polyp_train

SIZE = 64
OVERRIDES = (
    f"data.polyp.size=[{SIZE}, {SIZE}]",
    "data.polyp.val_fraction=0.25",
    "data.polyp.cache=null",
    f"teacher.size=[{SIZE}, {SIZE}]",
    f"student.size=[{SIZE}, {SIZE}]",
    "training.epochs=1",
    "teacher_training.epochs=1",
)
TRAIN, TEST = 32, 6


def copy(source: Path, out: Path) -> None:
    """Copy some images of every set, taken evenly, where there are none yet."""
    if out.is_dir():
        return
    draft = out.with_name(f"{out.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    _copy(source / "TrainDataset", draft / "TrainDataset", polyp_train(source).ids, TRAIN)
    for name, samples in polyp_tests(source).items():
        _copy(source / "TestDataset" / name, draft / "TestDataset" / name, samples.ids, TEST)
    draft.rename(out)


def _copy(source: Path, out: Path, ids: list[str], count: int) -> None:
    for kind in ("images", "masks"):
        (out / kind).mkdir(parents=True)
        for name in ids[:: max(1, len(ids) // count)][:count]:
            for file in (source / kind).glob(f"{name}.*"):
                shutil.copyfile(file, out / kind / file.name)
