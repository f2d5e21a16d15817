"""Polyp-PVT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from segdistill.core import SegDistillError
from segdistill.models.polyp_pvt.aggregation import SAM
from segdistill.models.polyp_pvt.backbone import STAGES, check_name, pyramid, widths
from segdistill.models.polyp_pvt.fusion import CFM, enlarge
from segdistill.models.polyp_pvt.identification import CIM
from segdistill.models.polyp_pvt.layers import conv_norm

WIDTH = 32
SMALLEST = 29  # the stage of stride 4 is then 8 wide, what its attention is reduced by


class PolypPVT(nn.Module):
    """A pyramid transformer with two heads: one on its fused stages, one on these after reasoning among places.

    The logits are the sum of both heads', each at the image's size. KDAS distils it from `pvt_v2_b2` (25.1 M
    parameters) into `pvt_v2_b0` (3.7 M). Any image of 29 pixels a side or more works; where the sides are multiples of
    32, the result is that of the authors' code, whose checkpoints load as they are. The authors take the loss of each
    head: `HeadSum(loss="StructureAsReleased")`.

    Args:
        backbone: Any of timm's PVTv2.
        classes: Channels of the logits.
        in_channels: Channels of the image.
        drop_path_rate: Share of residual branches that are left out in training, growing to this at the last block.

    Raises:
        SegDistillError: If the backbone is no PVTv2, or (in `forward`) an image is smaller than 29 pixels.

    Examples:
        >>> net = PolypPVT("pvt_v2_b0")
        >>> net(torch.rand(1, 3, 64, 96)).shape
        torch.Size([1, 1, 64, 96])
    """

    paper: ClassVar[str] = (
        "Dong et al., Polyp-PVT: Polyp Segmentation with Pyramid Vision Transformers, CAAI AIR 2023 "
        "(arXiv 2108.06932)"
    )
    #: `head1` and `head2` are logits at the image's size; `d3` is what the first is made of, `decoder` the second.
    aliases: ClassVar[dict[str, str]] = {
        **{f"e{i}": f"backbone.{stage}" for i, stage in enumerate(STAGES, start=2)},
        "low": f"backbone.{STAGES[0]}",
        "high": f"backbone.{STAGES[-1]}",
        "d3": "cfm",
        "decoder": "sam",
        "head1": "head1",
        "head2": "head2",
    }

    def __init__(
        self,
        backbone: str = "pvt_v2_b2",
        *,
        classes: int = 1,
        in_channels: int = 3,
        drop_path_rate: float = 0.1,
    ) -> None:
        super().__init__()
        check_name(backbone)
        self.drop_path_rate = drop_path_rate
        self.backbone = pyramid(backbone, in_channels=in_channels, drop_path_rate=drop_path_rate)
        first, *deeper = widths(self.backbone)
        self.cim = CIM(first)
        self.project = nn.ModuleList([conv_norm(width, WIDTH, 1) for width in deeper])
        self.project_guide = conv_norm(first, WIDTH, 1)
        self.cfm = CFM(WIDTH)
        self.sam = SAM(WIDTH)
        self.head1 = Head(WIDTH, classes)
        self.head2 = Head(WIDTH, classes)

    def forward(self, image: Tensor) -> Tensor:
        """A normalised image to logits of its size; the heads are taps."""
        size = image.shape[2:]
        check_size(size)
        first, *deeper = self.backbone(image)
        guide = self.project_guide(self.cim(first))
        fused = self.cfm(*(project(x) for project, x in zip(self.project, deeper, strict=True)))
        reasoned = self.sam(fused, enlarge(guide, fused))
        logits: Tensor = self.head1(fused, size) + self.head2(reasoned, size)
        return logits


class Head(nn.Module):
    """Features to logits at the image's size."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classify = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor, size: Sequence[int]) -> Tensor:
        """`(B, C, h, w)` to `(B, classes, *size)`."""
        return F.interpolate(self.classify(x), size=tuple(size), mode="bilinear", align_corners=False)


def check_size(size: Sequence[int]) -> None:
    """Refuse images that the backbone's attention cannot reduce.

    Raises:
        SegDistillError: With the least size.
    """
    if torch.compiler.is_compiling() or type(size[0]) is not int:  # symbols while a graph is traced
        return
    if min(size) < SMALLEST:
        raise SegDistillError(
            f"PolypPVT takes images of at least {SMALLEST} pixels a side, got {size[0]}x{size[1]}; set size: for the "
            f"model, which then resizes for itself."
        )
