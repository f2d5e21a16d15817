"""The `*_history.json` that the MobileNetV2 polyp project writes beside its checkpoints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.report.objects import read_object

SUFFIX = "_history.json"
#: What its lists are called in our logs; those of the supervised and the distillation loss may be missing.
COLUMNS = {
    "epochs": "epoch",
    "train_loss": "loss",
    "train_loss_sup": "task",
    "train_loss_kd": "KD",
    "val_dice": "val_dice",
    "val_iou": "val_iou",
}
NEEDED = ("epochs", "train_loss", "val_dice")


def find(folder: Path) -> list[Path]:
    """The histories in a folder of checkpoints."""
    return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []


def label_of(name: str) -> str:
    """The experiment's name, which the file's name begins with; other names stay.

    Examples:
        >>> label_of("Best_kd_history.json"), label_of("runs/kd")
        ('Best_kd', 'runs/kd')
    """
    return name.removesuffix(".json").removesuffix("_history") if name.endswith(".json") else name


def columns(file: Path) -> dict[str, tuple[float, ...]]:
    """Read values per epoch by the names that our logs have for them.

    Raises:
        SegDistillError: If it is no such file, a list is missing, or the lists differ in length.
    """
    content = read_object(file, otherwise="is no history: it holds no names")
    for key in NEEDED:
        if not isinstance(content.get(key), list) or not content[key]:
            raise SegDistillError(
                f"{file} has no list {key!r}: a history holds {', '.join(NEEDED)} with a value per epoch."
            )
    found = {ours: content[theirs] for theirs, ours in COLUMNS.items() if content.get(theirs)}
    lengths = {name: len(values) for name, values in found.items()}
    if len(set(lengths.values())) > 1:
        raise SegDistillError(f"The lists in {file} differ in length ({lengths}): it is damaged.")
    return {name: tuple(_number(value, file) for value in values) for name, values in found.items()}


def _number(value: Any, file: Path) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SegDistillError(f"{file} holds {value!r} where a number should be.")
    return float(value)
