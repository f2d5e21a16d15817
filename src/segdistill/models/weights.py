"""Read weights from a file and fit them to a network, or say why they do not fit."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from segdistill.core import SegDistillError
from segdistill.models.recognise import tell

SUFFIXES = (".safetensors", ".pt", ".pth", ".pth.tar", ".ckpt", ".bin")
EXPORTED = ".onnx"
#: How a file of Python objects begins, and one that stands for another.
PICKLE, POINTER = b"\x80", b"version https://git-lfs"
HOLDERS = ("state_dict", "model", "model_state_dict", "net")
PREFIXES = ("module.", "model.", "net.", "_orig_mod.", "student.")
#: Where a network keeps its encoder: a file that holds only that is welcome as well.
ENCODERS = ("encoder", "encoder.model", "backbone")

State = dict[str, Tensor]


def names_file(weights: str | Path) -> bool:
    """Whether weights are those of a file, there or not, and no published set such as `imagenet`."""
    name = str(weights)
    return isinstance(weights, Path) or "/" in name or "\\" in name or is_file(name)


def is_file(path: str | Path) -> bool:
    """Whether there is a file, whatever its name, or a name promises one of weights."""
    return Path(path).is_file() or _is_named_so(path)


def read_weights(path: str | Path) -> State:
    """Read a state dict; nothing but tensors is ever unpickled.

    Args:
        path: `.safetensors`, or what torch.save writes, whatever its name; the dict may lie under `state_dict` or
            `model`.

    Raises:
        SegDistillError: If the file is missing, damaged, or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise SegDistillError(
            f"There is no file of weights at {str(path)!r}. Give a path, 'imagenet' or 'none'."
        )
    if path.suffix.lower() == EXPORTED:
        raise SegDistillError(
            f"{path.name!r} is an exported network, which can only predict: name the run folder or the checkpoint "
            f"(.pth) that it was made from, or score what `segdistill predict` writes with `segdistill score`."
        )
    return _find_tensors(_read(path), path.name)


def fit_weights(
    net: nn.Module,
    state: Mapping[str, Tensor],
    source: str,
    *,
    rename: Callable[[Mapping[str, Tensor]], State] = dict,
) -> None:
    """Load a state dict into a network, or into its encoder where it holds only that.

    Prefixes such as `module.` are stripped, classifier layers beside an encoder are ignored.

    Args:
        net: The network.
        state: What `read_weights` found.
        source: Its file, for messages.
        rename: Gives the tensors of published checkpoints the network's own names.

    Raises:
        SegDistillError: If the weights are those of another network; says how many tensors match, and which network
            it is, if that is known.
    """
    variants = [rename(variant) for variant in _variants(state)]
    fits = [_compare(net, part, variant) for part in _parts(net) for variant in variants]
    best = max(fits, key=lambda fit: (fit.complete, fit.matching))
    if not best.complete:
        best = max(fits, key=lambda fit: (fit.matching, -len(fit.missing)))
        other = tell(state) if 2 * best.matching < best.total else ""  # else it is this one, up to a head
        raise SegDistillError(f"{source} does not fit this network: {best.explain()}{other}")
    target = net.get_submodule(best.part)
    own = target.state_dict()
    nn.Module.load_state_dict(target, {key: best.state.get(key, value) for key, value in own.items()})


class Fit(NamedTuple):
    """How well a state dict fits one part of a network."""

    part: str
    state: State
    matching: int
    missing: list[str]
    reshaped: list[str]
    surplus: list[str]

    @property
    def complete(self) -> bool:
        """Whether every tensor has its counterpart."""
        return not (self.missing or self.reshaped or self.surplus)

    @property
    def total(self) -> int:
        """Tensors that the part needs."""
        return self.matching + len(self.missing) + len(self.reshaped)

    def explain(self) -> str:
        """Say in half a sentence what does not fit."""
        faults = [
            f"{len(names)} {fault} (such as {names[0]})"
            for names, fault in (
                (self.missing, "are missing"),
                (self.reshaped, "have another shape"),
                (self.surplus, "belong to no layer"),
            )
            if names
        ]
        return f"{self.matching} of {self.total} tensors match, {', '.join(faults)}."


def _compare(net: nn.Module, part: str, state: State) -> Fit:
    target = net.get_submodule(part)
    own = {key: value.shape for key, value in target.state_dict().items() if not _is_counter(key)}
    missing = [key for key in own if key not in state]
    reshaped = [key for key in own if key in state and state[key].shape != own[key]]
    surplus = [
        key for key in state if key not in own and not _is_counter(key) and _matters(key, part, target)
    ]
    named = [f"{key} {tuple(state[key].shape)} for {tuple(own[key])}" for key in reshaped]
    return Fit(part, state, len(own) - len(missing) - len(reshaped), missing, named, surplus)


def _matters(key: str, part: str, target: nn.Module) -> bool:
    """Whether a surplus tensor tells another network: beside an encoder, a classifier does not."""
    if not part:
        return key not in ("mean", "std")
    children = {name for name, _ in target.named_children()}
    return key.split(".")[0] in children


def _is_counter(key: str) -> bool:
    return key.endswith("num_batches_tracked")  # absent from older files; only used with momentum=None


def _parts(net: nn.Module) -> list[str]:
    modules = {path for path, _ in net.named_modules()}
    return ["", *(part for part in ENCODERS if part in modules)]


def _variants(state: Mapping[str, Tensor], depth: int = 3) -> Iterator[State]:
    yield dict(state)
    for prefix in PREFIXES if depth else ():
        inner = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        if inner:
            yield from _variants(inner, depth - 1)


def _read(path: Path) -> Any:
    try:
        if path.suffix.lower() == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickles that are not torch's own: a sentence refuses them
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if "GLOBAL" in str(error) or "Unsupported global" in str(error) or _is_foreign(path, error):
            raise SegDistillError(
                f"{path.name!r} holds Python objects, which are not loaded because they could run code. "
                f"Save only the state dict: torch.save(net.state_dict(), path)."
            ) from error
        raise _damaged(path) from error
    except Exception as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> SegDistillError:
    if _begins(path, POINTER):
        return SegDistillError(
            f"{path.name!r} is not the weights but a pointer of Git LFS to them; run `git lfs pull` in its repository."
        )
    if not _is_named_so(path):
        return SegDistillError(
            f"{path.name!r} is not a file of weights that can be read; use {', '.join(SUFFIXES)}."
        )
    return SegDistillError(
        f"{path.name!r} ({path.stat().st_size} bytes) is damaged or holds no weights; copy it again."
    )


def _is_foreign(path: Path, error: Exception) -> bool:
    return "Unsupported operand" in str(error) and _begins(path, PICKLE)


def _is_named_so(path: str | Path) -> bool:
    return str(path).lower().endswith(SUFFIXES)


def _begins(path: Path, start: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(start)) == start


def _find_tensors(value: Any, name: str) -> State:
    for holder in HOLDERS:
        inner = value.get(holder) if isinstance(value, Mapping) else None
        if isinstance(inner, Mapping):
            return _find_tensors(inner, name)
    tensors = {k: v for k, v in value.items() if isinstance(v, Tensor)} if isinstance(value, Mapping) else {}
    if not tensors:
        raise SegDistillError(
            f"{name!r} holds no tensors by name{_keys(value)}; save net.state_dict() in it."
        )
    return tensors


def _keys(value: Any, most: int = 6) -> str:
    if not isinstance(value, Mapping) or not value:
        return ""
    named = [*map(repr, list(value)[:most]), *(["..."] if len(value) > most else [])]
    return f", only what lies under {', '.join(named)}"
