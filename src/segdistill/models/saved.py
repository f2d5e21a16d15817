"""A finished run as a network by name: its folder says what to build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import NoneType
from typing import Any

from segdistill.core import SegDistillError


def is_one(spec: str | Path | Mapping[str, Any]) -> bool:
    """Whether a spec is the folder of a run."""
    return isinstance(spec, (str, Path)) and (Path(spec) / "model.json").is_file()


def arguments(folder: str | Path, *, classes: int) -> dict[str, Any]:
    """What `load` needs to build the network of a run with the weights of its best epoch.

    Raises:
        SegDistillError: If the folder is damaged, holds a network of the user's own, or has other classes.
    """
    spec = architecture(folder, read(Path(folder) / "model.json"))
    if spec["classes"] != classes:
        raise SegDistillError(f"The network of {folder} has {spec['classes']} logit channels, not {classes}.")
    return {**spec, "weights": Path(folder) / "best.safetensors"}


def architecture(folder: str | Path, model: Mapping[str, Any]) -> dict[str, Any]:
    """What `load` needs to build the network that a `model.json` describes, without its weights.

    Raises:
        SegDistillError: If it is a network of the user's own, or the file is damaged.
    """
    if not model.keys() >= {"spec", "class"} or not isinstance(model["spec"], (dict, NoneType)):
        raise damaged(Path(folder) / "model.json")
    if model["spec"] is None:
        raise SegDistillError(
            f"{folder} holds weights of {model['class']}, which segdistill cannot build by itself. "
            f"Pass the architecture: Run.load(path, net={model['class'].rsplit('.', 1)[-1]}(...)).student."
        )
    return dict(model["spec"])


def read(path: Path) -> dict[str, Any]:
    """Read a JSON file of a run folder.

    Raises:
        SegDistillError: If it is damaged.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise damaged(path) from error


def damaged(path: Path) -> SegDistillError:
    """The one sentence for a file of a run folder that cannot be read."""
    return SegDistillError(f"{path} is damaged. Copy the run folder anew, or train again.")
