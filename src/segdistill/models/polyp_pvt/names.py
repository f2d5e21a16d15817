"""The names that the authors' checkpoints, and timm's, give to the layers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from torch import Tensor

Rule = tuple[str, str | Callable[[re.Match[str]], str]]

#: A backbone's layers; its name in front may be missing, as in files of ImageNet weights.
BACKBONE: tuple[Rule, ...] = (
    (r"^(backbone\.)?patch_embed1\.", r"\1patch_embed."),
    (r"^(backbone\.)?patch_embed([2-4])\.", lambda m: f"{m[1] or ''}stages_{int(m[2]) - 1}.downsample."),
    (r"^(backbone\.)?block([1-4])\.", lambda m: f"{m[1] or ''}stages_{int(m[2]) - 1}.blocks."),
    (r"^(backbone\.)?norm([1-4])\.", lambda m: f"{m[1] or ''}stages_{int(m[2]) - 1}.norm."),
    (r"\.mlp\.dwconv\.dwconv\.", ".mlp.dwconv."),
    (r"^(backbone\.)?stages\.(\d)\.", r"\1stages_\2."),  # timm's whole network
)

DECODER: tuple[Rule, ...] = (
    (r"^(Translayer.*|CFM\..*)\.conv\.", r"\1.0."),
    (r"^(Translayer.*|CFM\..*)\.bn\.", r"\1.1."),
    (r"^ca\.fc1\.", "cim.squeeze."),
    (r"^ca\.fc2\.", "cim.excite."),
    (r"^sa\.conv1\.", "cim.place."),
    (r"^Translayer2_0\.", "project_guide."),
    (r"^Translayer([2-4])_1\.", lambda m: f"project.{int(m[1]) - 2}."),
    (r"^CFM\.conv_upsample1\.", "cfm.deep_to_middle."),
    (r"^CFM\.conv_upsample2\.", "cfm.deep_to_fine."),
    (r"^CFM\.conv_upsample3\.", "cfm.middle_to_fine."),
    (r"^CFM\.conv_upsample4\.", "cfm.deep_beside_middle."),
    (r"^CFM\.conv_upsample5\.", "cfm.middle_beside_fine."),
    (r"^CFM\.conv_concat2\.", "cfm.middle."),
    (r"^CFM\.conv_concat3\.", "cfm.fine."),
    (r"^CFM\.conv4\.", "cfm.out."),
    (r"^SAM\.conv_state\.", "sam.state."),
    (r"^SAM\.conv_proj\.", "sam.project."),
    (r"^SAM\.gcn\.conv1\.", "sam.among_nodes."),
    (r"^SAM\.gcn\.conv2\.", "sam.among_states."),
    (r"^SAM\.conv_extend\.", "sam.extend."),
    (r"^out_CFM\.", "head1.classify."),
    (r"^out_SAM\.", "head2.classify."),
)

#: What a profiler (thop) leaves in a network that is saved afterwards.
PROFILED = ("total_ops", "total_params")


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Give the tensors of a checkpoint our names; those that have them keep them.

    Examples:
        >>> import torch
        >>> list(rename({"backbone.block2.0.norm1.bias": torch.ones(1), "out_CFM.bias": torch.ones(1)}))
        ['backbone.stages_1.blocks.0.norm1.bias', 'head1.classify.bias']
    """
    return {_our(key): value for key, value in state.items() if key.split(".")[-1] not in PROFILED}


def _our(key: str) -> str:
    for pattern, replacement in (*BACKBONE, *DECODER):
        key = re.sub(pattern, replacement, key)
    return key
