"""Build a network from any class that can be imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from segdistill.core import SegDistillError, first_line, unknown
from segdistill.models.built import Built
from segdistill.models.options import check_options, construct, named_parameters

CLASSES = ("classes", "num_classes", "n_classes", "out_channels")
IN_CHANNELS = ("in_channels", "in_chans", "n_channels", "num_channels")


def build_dotted(
    path: str, options: Mapping[str, Any], *, classes: int, in_channels: int, weights: str | None
) -> Built:
    """Build `package.module.Class` with its options.

    The number of classes goes to the first of `classes`, `num_classes`, `n_classes`, `out_channels` that the
    constructor names, the image channels to `in_channels`, `in_chans`, `n_channels` or `num_channels`.
    The network gets images in [0, 1] as they are; class attributes `mean` and `std` (tuples) change that, and
    a class attribute `aliases` (a dict) gives its stages names.

    Raises:
        SegDistillError: If it cannot be imported or built, or ImageNet weights are asked for.
    """
    build = find_callable(path)
    if weights is not None:
        raise SegDistillError(
            f"No {weights!r} weights are known for {path}; give weights='none', or a file with its weights."
        )
    given = _arguments(path, build, options, classes=classes, in_channels=in_channels)
    net = construct(path, build, given)
    if not isinstance(net, nn.Module):
        raise SegDistillError(f"{path} gives a {type(net).__name__}, not a network (torch.nn.Module).")
    return Built(net, _numbers(net, "mean", 0.0), _numbers(net, "std", 1.0), _aliases(net))


def find_callable(path: str) -> Callable[..., Any]:
    """Import what a dotted path names.

    Raises:
        SegDistillError: If the module or the name in it does not exist.
    """
    module_name, _, name = path.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise SegDistillError(f"Model {path!r} cannot be imported: {first_line(error)}.") from error
    if not callable(getattr(module, name, None)):
        public = [n for n in dir(module) if not n.startswith("_") and callable(getattr(module, n))]
        raise unknown(f"name in {module_name}", name, public)
    return getattr(module, name)  # type: ignore[no-any-return]


def _arguments(
    path: str, build: Callable[..., Any], options: Mapping[str, Any], *, classes: int, in_channels: int
) -> dict[str, Any]:
    parameters = named_parameters(build)
    own = {_first(CLASSES, parameters): classes, _first(IN_CHANNELS, parameters): in_channels}
    own.pop(None, None)
    reserved = {name: "it is an argument of load" for name in own if name}
    check_options(path, options, allowed=parameters, reserved=reserved)
    return {**options, **{name: value for name, value in own.items() if name}}


def _first(names: tuple[str, ...], parameters: Mapping[str, Any]) -> str | None:
    return next((name for name in names if name in parameters), None)


def _numbers(net: nn.Module, name: str, default: float) -> tuple[float, ...]:
    value = getattr(type(net), name, None)
    return tuple(map(float, value)) if isinstance(value, (tuple, list)) else (default,)


def _aliases(net: nn.Module) -> Mapping[str, str]:
    value = getattr(type(net), "aliases", None)
    return dict(value) if isinstance(value, Mapping) else {}
