"""The `eval.yaml` of UACANet and KDAS3: which predictions to score against which masks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segdistill.config.build import arguments
from segdistill.config.text import parse_file
from segdistill.core import SegDistillError, unknown

SECTION = "Eval"
#: Sections of the same file that other programs of theirs read.
_OTHERS = ("Model", "Train", "Test")
#: What UACANet called two of the keys before.
_OLDER = {"gt_path": "gt_root", "pred_path": "pred_root"}


@dataclass(frozen=True)
class EvalFile:
    """What to score, as their evaluator is told.

    Args:
        gt_root: Holds `<set>/masks`.
        pred_root: Holds `<set>/<name>.png`; its last part is the method's name.
        datasets: The sets, in the order of the table.
        metrics: The measures, in the order of the table.
        result_path: Where results go.
    """

    gt_root: Path
    pred_root: Path
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    result_path: Path | None = None


def read_eval(path: Path, *, known: tuple[str, ...]) -> EvalFile:
    """Read such a file. Names of measures are looked up, never run.

    Args:
        path: The file; paths in it start where the command does, as they do for the originals.
        known: Measures that there are.

    Raises:
        SegDistillError: If it is no such file, or a key or a measure does not exist.
    """
    if not path.is_file():
        raise SegDistillError(f"There is no file {str(path)!r}.")
    content = parse_file(path)
    section = content.get(SECTION) if isinstance(content, Mapping) else None
    if not isinstance(section, Mapping):
        raise SegDistillError(
            f"{path} has no section {SECTION}: with gt_root, pred_root, datasets and metrics. Name an eval.yaml."
        )
    for name in content:
        if name not in (SECTION, *_OTHERS):
            raise unknown(f"section of {path}", str(name), (SECTION, *_OTHERS))
    section = {_OLDER.get(key, key): value for key, value in section.items()}
    return _checked(EvalFile(**arguments(EvalFile, section, owner=SECTION)), known)


def _checked(file: EvalFile, known: tuple[str, ...]) -> EvalFile:
    for name in file.metrics:
        if name not in known:
            raise unknown("metric", name, known)
    values: dict[str, Any] = {"datasets": file.datasets, "metrics": file.metrics}
    for key, names in values.items():
        if not names:
            raise SegDistillError(f"{SECTION}.{key} is an empty list. Name at least one.")
        if len(set(names)) < len(names):
            raise SegDistillError(f"{SECTION}.{key} names {max(names, key=names.count)!r} twice. Keep one.")
    return file
