"""Weights as safetensors, which nothing can hide code in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from segdistill.core import SegDistillError
from segdistill.export import files


def save(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors, in one piece or not at all."""
    # Clones, because shared storage is an error there.
    tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    files.write(path, lambda temporary: save_file(tensors, temporary))


def load_into(net: nn.Module, path: Path) -> None:
    """Fill a network with the tensors of a file.

    Raises:
        SegDistillError: If the file is missing, damaged or of another network.
    """
    if not path.is_file():
        raise SegDistillError(f"{path} is missing: the training has not finished. Go on with --resume.")
    try:
        net.load_state_dict(load_file(path))
    except SafetensorError as error:
        raise SegDistillError(f"{path} is damaged: {error}. Train again, or copy the file anew.") from error
    except RuntimeError as error:
        raise SegDistillError(f"{path} holds another model: {str(error).splitlines()[-1].strip()}") from error
