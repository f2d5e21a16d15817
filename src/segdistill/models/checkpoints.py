"""A published checkpoint as a network by name: its tensors say what to build, and how its project feeds it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from segdistill.core import SegDistillError
from segdistill.models.recognise import FED, recognise
from segdistill.models.weights import is_file, read_weights


def is_one(spec: str | Path | Mapping[str, Any]) -> bool:
    """Whether a spec is a file of weights."""
    return isinstance(spec, (str, Path)) and is_file(spec)


def arguments(file: str | Path, *, classes: int) -> dict[str, Any]:
    """What `load` needs to build the network of a checkpoint.

    Raises:
        SegDistillError: If the file cannot be read, or holds no network that is known by its tensors.
    """
    spec = recognise(read_weights(file))
    if spec is None:
        raise SegDistillError(
            f"{Path(file).name!r} holds weights of a network that is not known by its tensors. Name the network: "
            f"in a recipe {{net: NAME, weights: {file}}}, in Python load(NAME, weights={str(file)!r}, ...)."
        )
    return {"spec": spec, "classes": classes, "weights": Path(file), **FED[next(iter(spec))]}


def told(file: str | Path, found: Mapping[str, Any]) -> str:
    """The sentence on what a file is taken for, since its tensors do not say how their network was fed.

    Args:
        file: The checkpoint.
        found: Its `arguments`.
    """
    name, options = next(iter(found["spec"].items()))
    inside = ", ".join(map(str, options.values()))
    norm = "no normalisation but /255" if found.get("mean") == 0 else "ImageNet's mean and deviation"
    return f"{file} is taken for {name}({inside}) at {found['size']}x{found['size']} with {norm}."
