"""A run is one folder that explains itself."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from torch import nn
from torch.utils.data import Dataset

from segdistill import models
from segdistill.core import SegDistillError
from segdistill.engine import logs
from segdistill.engine import weights as weight_files
from segdistill.engine.description import network
from segdistill.engine.environment import environment
from segdistill.engine.evaluation import evaluate
from segdistill.engine.training import Training
from segdistill.export import files
from segdistill.metrics import Overlap
from segdistill.models import saved
from segdistill.taps import Tapped
from segdistill.tasks import Task, from_plain, to_plain
from segdistill.teachers import TeacherSource


class Run:
    """The folder of one training: configuration, history, scores, weights.

    Args:
        path: Where it lies.
        net: The network's architecture, where `models.load` cannot build it.

    Raises:
        SegDistillError: If the folder holds no run.

    Examples:
        >>> Run("runs/student").metrics["best"]["dice"]  # doctest: +SKIP
        0.91
    """

    def __init__(self, path: Path | str, *, net: nn.Module | None = None) -> None:
        self.path = Path(path)
        self._net = net
        if not (self.path / "config.yaml").is_file():
            raise SegDistillError(
                f"{self.path} is not a run folder: it has no config.yaml. Name the folder that --out gave."
            )

    @classmethod
    def load(cls, path: Path | str, *, net: nn.Module | None = None) -> Run:
        """Open a run folder; the same as `Run(path)`."""
        return cls(path, net=net)

    @property
    def config(self) -> dict[str, Any]:
        """What was trained, complete and reloadable."""
        path = self.path / "config.yaml"
        try:
            return dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, TypeError, ValueError) as error:
            raise saved.damaged(path) from error

    @property
    def env(self) -> dict[str, Any]:
        """Versions, hardware, commit and command."""
        return self._json("env.json")

    @property
    def log(self) -> list[dict[str, float]]:
        """One row per epoch."""
        path = self.path / "log.csv"
        return [{k: float(v) for k, v in row.items()} for row in logs.read(path)] if path.is_file() else []

    @property
    def metrics(self) -> dict[str, Any]:
        """Scores of the best and of the last epoch.

        Raises:
            SegDistillError: If the training has not finished.
        """
        return self._json("metrics.json")

    @property
    def is_finished(self) -> bool:
        """Whether the training came to its end."""
        return (self.path / "metrics.json").is_file()

    @property
    def task(self) -> Task:
        """What the labels mean."""
        return from_plain(self._json("model.json")["task"])

    @property
    def student(self) -> Tapped:
        """The trained network with the weights of the best epoch, in evaluation mode."""
        return self.network("best")

    @property
    def last(self) -> Tapped:
        """The trained network with the weights of the last epoch, in evaluation mode."""
        return self.network("student")

    def evaluate(self, dataset: Dataset[Any]) -> Overlap:
        """Score the student on a data set; see `engine.evaluate`."""
        return evaluate(self.student, dataset, task=self.task)

    def network(self, weights: str) -> Tapped:
        """Build the trained network.

        Args:
            weights: `best`, or `student` for the last epoch.

        Raises:
            SegDistillError: If the architecture is not of the zoo and was not given, or the file does not fit.
        """
        model = self._json("model.json")
        tapped = self._architecture(model)
        weight_files.load_into(tapped.net, self.path / f"{weights}.safetensors")
        return tapped.eval()

    def _architecture(self, model: Mapping[str, Any]) -> Tapped:
        options = {key: model[key] for key in ("mean", "std", "size", "prefix_tokens", "channels_last")}
        if self._net is not None:
            # A copy: the caller's network, `student` and `last` must not overwrite each other.
            net = copy.deepcopy(self._net)
            return net if isinstance(net, Tapped) else Tapped(net, **options)
        return models.load(**saved.architecture(self.path, model))

    def _json(self, name: str) -> dict[str, Any]:
        path = self.path / name
        if not path.is_file():
            raise SegDistillError(
                f"{self.path} has no {name}: its training has not finished. Go on with --resume."
            )
        return saved.read(path)


def create(
    path: Path,
    *,
    config: Mapping[str, Any],
    model: Mapping[str, Any],
    teacher: Mapping[str, Any] | None = None,
) -> None:
    """Begin a run folder.

    Args:
        path: The folder.
        config: What is trained, complete and reloadable.
        model: What to build.
        teacher: Its fingerprint; where a cached teacher's output comes from, and what does not reach it.
    """
    files.write_text(path / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
    files.write_json(path / "env.json", {**environment(), **({"teacher": teacher} if teacher else {})})
    files.write_json(path / "model.json", model)
    (path / "figures").mkdir(exist_ok=True)


def check_absent(path: Path, *, resume: bool = False) -> None:
    """Refuse to write into a folder that holds something.

    Raises:
        SegDistillError: Naming the ways out.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if resume:
        raise SegDistillError(f"{path} holds no run to resume, but something else. Take another --out.")
    raise SegDistillError(f"{path} exists. Take another --out, go on with --resume, or delete it.")


def has_checkpoint(path: Path) -> bool:
    """Whether there is anything to go on with."""
    return (path / "last.ckpt").exists()


def remove_unless_saved(path: Path) -> None:
    """Remove a run folder that failed before its first checkpoint, so that the next try finds nothing half-written."""
    if not has_checkpoint(path):
        shutil.rmtree(path, ignore_errors=True)


def check_same(path: Path, config: Mapping[str, Any]) -> None:
    """Refuse to resume with another configuration than the run began with; where it runs may change.

    Raises:
        SegDistillError: Naming the first option that differs.
    """
    ours, theirs = (_without_place(c) for c in (config, Run(path).config))
    if bool(ours.get("method")) != bool(theirs.get("method")):
        began = "distill" if theirs.get("method") else "train"
        raise SegDistillError(f"{path} was begun with {began}. Resume it with that, or take another --out.")
    for key, value, before in _differences(ours, theirs):
        raise SegDistillError(
            f"{path} was begun with {key}={before}, not {value}. Resume with the same options, or take another --out."
        )


def check_same_teacher(path: Path, teacher: TeacherSource | None) -> None:
    """Refuse to resume with another teacher than the run began with, be it of the same name.

    Raises:
        SegDistillError: If its weights, or what a cache stores, are not what they were.
    """
    began = Run(path).env.get("teacher", {}).get("fingerprint")
    if began and teacher is not None and teacher.fingerprint() != began:
        raise SegDistillError(
            f"{path} was begun with another teacher, of other weights. Resume with the same, or take another --out."
        )


def _without_place(config: Mapping[str, Any]) -> dict[str, Any]:
    plain = json.loads(json.dumps(config))
    # An option that is younger than the run had its default then.
    training = Training().as_dict() | plain.get("training", {})
    places = ("devices", "workers", "accelerator", "checkpoint_steps")
    return {**plain, "training": {key: value for key, value in training.items() if key not in places}}


def _differences(ours: Any, theirs: Any, key: str = "") -> list[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = dict.fromkeys([*ours, *theirs])
        return [d for n in names for d in _differences(ours.get(n), theirs.get(n), f"{key}.{n}".lstrip("."))]
    return [] if ours == theirs else [(key, ours, theirs)]


def describe(tapped: Tapped, task: Task) -> dict[str, Any]:
    """What to build, its preprocessing and its task, for `model.json`."""
    return {
        "spec": tapped.spec,
        "class": network(tapped.net),
        "task": to_plain(task),
        "mean": tapped.mean.tolist(),
        "std": tapped.std.tolist(),
        "size": list(tapped.size) if tapped.size else None,
        "prefix_tokens": tapped.prefix_tokens,
        "channels_last": tapped.channels_last,
        **_cost(tapped),
    }


def _cost(tapped: Tapped) -> dict[str, float]:
    """Parameters, and multiply-adds of one image where the network has a size of its own."""
    if tapped.size is None or len(tapped.size) != 2:
        return {"parameters": sum(p.numel() for p in tapped.parameters())}
    price = models.cost(tapped, tapped.size, in_channels=None)
    return {"parameters": price.parameters, "gmac": round(price.gmac, 4)}
