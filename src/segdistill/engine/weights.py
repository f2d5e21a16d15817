"""Weights as safetensors, which nothing can hide code in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from segdistill.core import SegDistillError
from segdistill.export import files


def check_savable(net: nn.Module) -> None:
    """Refuse a network whose state a file of tensors cannot hold.

    Raises:
        SegDistillError: Naming what is no tensor.
    """
    for name, value in net.state_dict().items():
        if not isinstance(value, Tensor):
            raise SegDistillError(
                f"The student's state {name!r} is of type {type(value).__name__}, and a run's files hold tensors "
                f"alone. Keep it in a buffer, or take get_extra_state out of the network."
            )


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
        raise SegDistillError(
            f"{path} is missing. If the training has not finished, go on with --resume; else copy the run folder anew."
        )
    try:
        net.load_state_dict(load_file(path))
    except SafetensorError as error:
        raise SegDistillError(f"{path} is damaged: {error}. Train again, or copy the file anew.") from error
    except RuntimeError as error:
        raise SegDistillError(f"{path} holds another model: {str(error).splitlines()[-1].strip()}") from error
