"""A finished run as a network by name: its folder says what to build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError


def is_run(spec: str | Path | Mapping[str, Any]) -> bool:
    """Whether a spec is the folder of a run."""
    return isinstance(spec, (str, Path)) and (Path(spec) / "model.json").is_file()


def arguments(folder: str | Path, *, classes: int) -> dict[str, Any]:
    """What `load` needs to build the network of a run with the weights of its best epoch.

    Raises:
        SegDistillError: If the folder is damaged, holds a network of the user's own, or has other classes.
    """
    path = Path(folder) / "model.json"
    try:
        model = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SegDistillError(f"{path} is damaged. Copy the run folder anew, or train again.") from error
    if model["spec"] is None:
        raise SegDistillError(
            f"{folder} holds weights of {model['class']}, which segdistill cannot build by itself. "
            f"Take Run.load(path, net=...).student."
        )
    if model["spec"]["classes"] != classes:
        raise SegDistillError(
            f"The network of {folder} has {model['spec']['classes']} logit channels, not {classes}."
        )
    return {**model["spec"], "weights": Path(folder) / "best.safetensors"}
