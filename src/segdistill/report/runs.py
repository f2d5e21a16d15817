"""What a run folder says about its run, read without building the network."""

from __future__ import annotations

import csv
import json
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError, unknown
from segdistill.report.history import History, labelled, read
from segdistill.report.style import ROLES, role_of

#: Per-image scores of one test set: measure, such as `"dice"`, to score by image id.
Scores = Mapping[str, Mapping[str, float]]

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


@dataclass(frozen=True)
class RunSummary:
    """One run as the report sees it.

    Attributes:
        label: Its name in tables and curves; runs that differ in nothing but the seed share one.
        role: `"teacher"`, `"baseline"`, `"distilled"` or `""`.
        path: Its folder.
        history: Its log, where there is one.
        metrics: What `metrics.json` holds.
        env: What `env.json` holds.
        config: The text of `config.yaml`.
        scores: Per-image scores by test set.
        details: Calibration and scores by size, by test set.
        videos: What `predict` recorded in the run's folder `video`, by clip.
        parameters: Weights of the network; `None` if unknown.
        gmac: Multiply-adds for one image, in 10⁹; `None` if unknown.
        size: Bytes of the weights file; `None` if unknown.
    """

    label: str
    role: str
    path: Path
    history: History | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, Any] = field(default_factory=dict)
    config: str = ""
    scores: Mapping[str, Scores] = field(default_factory=dict)
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    videos: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parameters: int | None = None
    gmac: float | None = None
    size: int | None = None

    @property
    def command(self) -> str:
        """The command that made the run, or nothing."""
        command = self.env.get("command", "")
        return command if isinstance(command, str) else shlex.join(map(str, command))

    def score(self, dataset: str, measure: str) -> float:
        """Look up a mean score on a test set; NaN where there is none."""
        value = self.metrics.get("tests", {}).get(dataset, {}).get(measure)
        return math.nan if value is None else float(value)


def collect(
    runs: Mapping[str, str | Path | Sequence[str | Path]] | Sequence[str | Path],
    *,
    roles: Mapping[str, str] | None = None,
) -> list[RunSummary]:
    """Read run folders for a report.

    Args:
        runs: Folders, or folders by label; several folders under one label are repeats with other seeds.
        roles: `"teacher"`, `"baseline"` or `"distilled"` by label; guessed where not given.

    Raises:
        SegDistillError: If a folder is missing or is no run, a file in it is damaged, or a role is unknown.
    """
    for role in (roles or {}).values():
        if role not in (*ROLES, ""):
            raise unknown("role", role, ROLES)
    by_label = dict(runs) if isinstance(runs, Mapping) else labelled(runs)
    return [
        read_run(path, label=label, role=(roles or {}).get(label))
        for label, paths in by_label.items()
        for path in ([paths] if isinstance(paths, str | Path) else paths)
    ]


def read_run(path: str | Path, *, label: str | None = None, role: str | None = None) -> RunSummary:
    """Read one run folder; every file but one of `metrics.json` and `log.csv` may be missing.

    Raises:
        SegDistillError: If the folder is missing or is no run, or a file in it is damaged.
    """
    folder = Path(path)
    log, metrics = folder / "log.csv", folder / "metrics.json"
    if not folder.is_dir():
        raise SegDistillError(f"There is no run folder {folder}.")
    if not (log.exists() or metrics.exists()):
        raise SegDistillError(f"{folder} is no run folder: it has neither log.csv nor metrics.json.")
    name = label or folder.resolve().name
    history = read(folder, name) if log.exists() else None
    found, model = _json(metrics), _json(folder / "model.json")
    weights = folder / "student.safetensors"
    return RunSummary(
        label=name,
        role=role_of(name, distilled=history is not None and history.distilled) if role is None else role,
        path=folder,
        history=history,
        metrics=found,
        env=_json(folder / "env.json"),
        config=_text(folder / "config.yaml"),
        scores={file.stem: _scores(file) for file in sorted((folder / "scores").glob("*.csv"))},
        details={file.stem: _json(file) for file in sorted((folder / "scores").glob("*.json"))},
        videos={file.stem: _video(file) for file in sorted((folder / "video").glob("*.json"))},
        parameters=found.get("parameters") or model.get("parameters") or _count_parameters(weights),
        gmac=found.get("gmac") or model.get("gmac"),
        size=weights.stat().st_size if weights.exists() else None,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(_text(path) or "{}")
    except json.JSONDecodeError as error:
        raise SegDistillError(f"{path} is damaged: {error}.") from None
    if not isinstance(content, dict):
        raise SegDistillError(f"{path} is damaged: it holds no names, but a {type(content).__name__}.")
    return content


def _video(path: Path) -> dict[str, Any]:
    record = _json(path)
    if not {"file", "speed", "classes"} <= record.keys():
        raise SegDistillError(f"{path} is no record of a video: move it out of that folder.")
    return record


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise SegDistillError(f"Cannot read {path}: {error}.") from None


def _scores(path: Path) -> dict[str, dict[str, float]]:
    rows = list(csv.DictReader(_text(path).splitlines()))
    try:
        measures = [name for name in rows[0] if name != "id"] if rows else []
        return {name: {row["id"]: float(row[name]) for row in rows} for name in measures}
    except (KeyError, TypeError, ValueError) as error:
        raise SegDistillError(f"{path} is damaged: its columns must be id and scores ({error}).") from None


def _count_parameters(weights: Path) -> int | None:
    """Count what is learnt, from a file's header; the statistics of batch norm do not count."""
    if not weights.exists():
        return None
    try:
        with weights.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    except (ValueError, OverflowError, MemoryError):
        raise SegDistillError(f"{weights} is damaged: it has no safetensors header.") from None
    learnt = (t for name, t in header.items() if name != "__metadata__" and not name.endswith(_STATISTICS))
    return int(sum(math.prod(tensor["shape"]) for tensor in learnt))
