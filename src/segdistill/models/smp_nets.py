"""Build the networks of segmentation_models_pytorch, on its own encoders and on timm's (`tu-`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from segdistill.core import SegDistillError, unknown
from segdistill.models.aliases import name_smp_stages
from segdistill.models.built import Built
from segdistill.models.catalogue import SMP
from segdistill.models.encoders import check_encoder, encoder_weights
from segdistill.models.options import check_options, construct, named_parameters
from segdistill.models.preprocessing import encoder_statistics

RESERVED = {
    "classes": "it is the argument classes= of load and follows from the task in a recipe",
    "in_channels": "it is the argument in_channels= of load",
    "encoder_weights": "it is the argument weights= of load ('imagenet', 'none' or a file)",
    "activation": "the library works on logits",
    "aux_params": "a classification head would never be trained",
}

#: What smp hands on to timm through **kwargs. A closed list: timm would not notice a typo.
TIMM_OPTIONS = ("drop_rate", "drop_path_rate", "img_size", "dynamic_img_size")

#: Architectures that dilate the last stages; PAN also pools three times more.
DILATED = ("DeepLabV3", "DeepLabV3Plus", "PAN")
NOT_DILATED = re.compile("output_stride|dilated|AssertionError")  # what encoders say that cannot be


def build_smp(
    name: str, options: Mapping[str, Any], *, classes: int, in_channels: int, weights: str | None
) -> Built:
    """Build one network of smp.

    Args:
        name: Architecture, such as `FPN`.
        options: Arguments of its constructor.
        classes: Channels of the logits.
        in_channels: Channels of the image.
        weights: Name of pretrained encoder weights, or `None`.

    Raises:
        SegDistillError: If a name or an option is wrong, or the weights cannot be had.
    """
    import segmentation_models_pytorch as smp

    if name not in SMP:
        raise unknown("architecture of smp", name, SMP)
    architecture = getattr(smp, name)
    what = f"smp.{name}"
    parameters = named_parameters(architecture.__init__)
    encoder = options.get("encoder_name", parameters["encoder_name"].default)
    check_encoder(encoder)
    timm_options = TIMM_OPTIONS if encoder.startswith("tu-") else ()
    check_options(what, options, allowed=[*parameters, *timm_options], reserved={**RESERVED, "self": ""})
    if encoder.startswith("mit_") and name in ("UnetPlusPlus", "Linknet"):
        raise _mismatch(what, encoder, "lacks the stride-2 stage that it builds on")
    if name == "DPT" and not encoder.startswith("tu-"):
        raise _mismatch(what, encoder, "is not one of timm's vision transformers (tu-vit_...)")
    source = encoder_weights(encoder, weights)
    arguments = {
        **options,
        "classes": classes,
        "in_channels": in_channels,
        "encoder_weights": source.argument,
    }
    net = _construct(name, partial(architecture, **source.extra), arguments)
    source.finish(net.encoder)
    statistics = encoder_statistics(encoder, in_channels)
    aliases = name_smp_stages(net)
    _refuse_odd_sizes(net, name)
    return Built(net, *statistics, aliases)


def _construct(name: str, build: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    try:
        return construct(f"smp.{name}", build, arguments)
    except SegDistillError as error:
        if name in DILATED and NOT_DILATED.search(str(error)):
            encoder = arguments.get("encoder_name", "resnet34")
            raise _mismatch(f"smp.{name}", encoder, "cannot be dilated") from error
        raise


def _mismatch(what: str, encoder: str, reason: str) -> SegDistillError:
    return SegDistillError(
        f"{what} cannot use the encoder {encoder!r}, which {reason}. "
        f"Take smp.Unet or smp.FPN with it, or another encoder."
    )


def _refuse_odd_sizes(net: Any, name: str) -> None:
    """Let a wrong image size say what to do about it; some architectures take any size."""
    if net.requires_divisible_input_shape:
        stride = int(net.encoder.output_stride)
        smallest = 8 * stride if name == "PAN" else stride  # PAN halves the deepest map three times more
        net.register_forward_pre_hook(
            partial(_check_size, what=f"smp.{name}", stride=stride, smallest=smallest)
        )


def _check_size(net: nn.Module, inputs: tuple[Tensor, ...], *, what: str, stride: int, smallest: int) -> None:
    height, width = inputs[0].shape[-2:]
    if torch.compiler.is_compiling() or type(height) is not int:  # symbols while a graph is traced
        return
    if height % stride or width % stride or min(height, width) < smallest:
        nearest = [max(smallest, round(side / stride) * stride) for side in (height, width)]
        raise SegDistillError(
            f"{what} takes image sides that are multiples of {stride} and at least {smallest}, got "
            f"{height}x{width}; set size: {nearest} for the model, which then resizes for itself."
        )
