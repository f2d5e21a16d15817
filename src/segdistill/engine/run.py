"""A run is one folder that explains itself."""

from __future__ import annotations

import copy
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
from segdistill.export import OnnxPredictor, export_onnx, files
from segdistill.metrics import Overlap
from segdistill.models import saved
from segdistill.taps import Tapped
from segdistill.tasks import Task, from_plain, to_plain


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
        if not self.path.exists():
            raise SegDistillError(
                f"There is no folder {self.path}. Name the one that --out gave, or a checkpoint such as NAME.pth "
                f"where a network is all that is needed."
            )
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
            config = dict(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (yaml.YAMLError, TypeError, ValueError) as error:
            raise saved.damaged(path) from error
        if not config:
            raise saved.damaged(path)
        return config

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
        model = self._json("model.json")
        try:
            return from_plain(model["task"])
        except (AttributeError, KeyError, StopIteration, TypeError) as error:
            raise saved.damaged(self.path / "model.json") from error

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

    def export(self, path: Path | str) -> OnnxPredictor:
        """Write the student as one ONNX file, which runs without PyTorch, and open it; see `export.export_onnx`."""
        return OnnxPredictor(export_onnx(self.student, self.task, path).path)

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
        names = ("mean", "std", "size", "prefix_tokens", "channels_last")
        if not model.keys() >= {*names}:
            raise saved.damaged(self.path / "model.json")
        options = {key: model[key] for key in names}
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
    facts: Mapping[str, Any],
) -> None:
    """Begin a run folder.

    Args:
        path: The folder.
        config: What is trained, complete and reloadable.
        model: What to build.
        facts: What data and teacher are known by, beside versions and hardware.
    """
    files.write_text(path / "config.yaml", yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
    files.write_json(path / "env.json", {**environment(), **facts})
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


def check_best(path: Path, best: Mapping[str, float]) -> None:
    """Refuse to go on with a run whose best weights so far are gone: no later epoch need become better.

    Args:
        path: The folder.
        best: The best epoch according to the checkpoint; empty before there was one.

    Raises:
        SegDistillError: If they are not there.
    """
    file = path / "best.safetensors"
    if best and not file.is_file():
        raise SegDistillError(
            f"{file} is missing, the weights of epoch {best['epoch']:g}. Copy the run folder anew, or delete "
            f"{path / 'last.ckpt'}: --resume then begins the run anew."
        )


def remove_unless_saved(path: Path) -> None:
    """Remove a run folder that failed before its first checkpoint, so that the next try finds nothing half-written."""
    if not has_checkpoint(path):
        shutil.rmtree(path, ignore_errors=True)


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
