"""Architecture-independent names for the stages of a network, so that one recipe runs on any pair.

| alias | what it names |
|---|---|
| `e1` .. `e5` | encoder stages; `e<i>` has stride `2**i` (less where the last stages are dilated) |
| `low` | `e2`, the stride-4 stage, which every encoder has: edges and texture |
| `high` | the deepest encoder stage |
| `d5` .. `d1` | decoder stages from deep to shallow; the first is named after the deepest encoder stage |
| `decoder` | what the head turns into logits |
| `head1`, `head2` | the logits of each head, at the image's size, where a network adds them up (PolypPVT) |

Transformers (`mit_*`, pvt, convnext) have no stride-2 stage, so no `e1`; the others line up with a CNN's.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn

STAGES = "stages_out"

#: Decoder stages of smp networks from deep to shallow; `*` counts a list, absent ones are skipped,
#: `d2=` fixes the alias where stages are left out in between.
SMP_DECODERS: dict[str, tuple[str, ...]] = {
    "Unet": ("blocks.*",),
    "MAnet": ("blocks.*",),
    "Linknet": ("blocks.*",),
    "UnetPlusPlus": ("blocks.x_0_*",),  # the last node of every level
    "FPN": ("p5", "p4", "p3", "p2"),
    "PAN": ("fpa", "gau3", "gau2", "gau1"),
    "UPerNet": ("psp", "fpn_conv_blocks.*"),
    "Segformer": ("mlp_stage.*",),
    "DPT": ("fusion_blocks.*",),
    "DeepLabV3": ("aspp",),
    "DeepLabV3Plus": ("aspp", "d2=block2"),
    "PSPNet": ("psp",),
}

RESNET = {"e1": "backbone.relu", **{f"e{i + 1}": f"backbone.layer{i}" for i in range(1, 5)}}
MOBILENET = {f"e{i + 1}": f"backbone.{n}" for i, n in enumerate((1, 3, 6, 12, 16))}
#: The last module before the classes; an in-place ReLU rather than the norm whose output it overwrites.
TORCHVISION_DECODERS = {"deeplabv3": "classifier.3", "fcn": "classifier.2", "lraspp": "classifier.cbr"}


def name_smp_stages(net: nn.Module) -> dict[str, str]:
    """Name the stages of an smp network.

    An smp encoder returns its stages in a list, and some stages are no module's output (permuted tokens,
    norms applied by hand). So every stage is led through an `nn.Identity` that can be tapped; this changes
    neither the result nor the weights.

    Returns:
        Module path by alias.
    """
    encoder: Any = net.encoder
    stages = _expose(encoder)
    encoders = {name: f"encoder.{STAGES}.{name}" for name in stages}
    return {**_with_ends(encoders), **_decoders(net, max(int(name[1:]) for name in stages))}


def name_torchvision_stages(name: str) -> dict[str, str]:
    """Name the stages of one of torchvision's segmentation networks."""
    family, _, backbone = name.partition("_")
    encoders = RESNET if backbone.startswith("resnet") else MOBILENET
    return {**_with_ends(encoders), "decoder": TORCHVISION_DECODERS[family]}


def _expose(encoder: Any) -> list[str]:
    # A ViT (DPT) lists stages only; every other encoder starts with the image itself.
    first = 1 if hasattr(encoder, "output_strides") else 0
    names = [f"e{i + first}" for i, channels in enumerate(encoder.out_channels) if channels and i + first]
    encoder.add_module(STAGES, nn.ModuleDict({name: nn.Identity() for name in names}))
    encoder.register_forward_hook(_lead_through)
    return names


def _lead_through(encoder: Any, _inputs: Any, output: Any) -> Any:
    if isinstance(output, tuple):  # a ViT: stages, prefix tokens
        return (_pass(encoder, output[0], 1), *output[1:])
    return _pass(encoder, output, 0)


def _pass(encoder: Any, maps: Iterable[Tensor], first: int) -> list[Tensor]:
    stages = getattr(encoder, STAGES)
    names = (f"e{i + first}" for i in range(10))
    return [stages[name](x) if name in stages else x for name, x in zip(names, maps, strict=False)]


def _with_ends(encoders: dict[str, str]) -> dict[str, str]:
    names = list(encoders)
    return {**encoders, "low": encoders.get("e2", encoders[names[0]]), "high": encoders[names[-1]]}


def _decoders(net: nn.Module, deepest: int) -> dict[str, str]:
    modules = {path for path, _ in net.decoder.named_modules()}  # type: ignore[union-attr]
    paths = [p for pattern in SMP_DECODERS.get(type(net).__name__, ()) for p in _expand(pattern, modules)]
    named = [path.rpartition("=") for path in paths]
    stages = {alias or f"d{deepest - i}": f"decoder.{path}" for i, (alias, _, path) in enumerate(named)}
    return {**stages, "decoder": "decoder"}


def _expand(pattern: str, modules: set[str]) -> list[str]:
    if "*" in pattern:
        return [path for i in range(10) if (path := pattern.replace("*", str(i))) in modules]
    return [pattern] if pattern.rpartition("=")[2] in modules else []
