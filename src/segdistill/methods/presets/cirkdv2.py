"""Cross-image relations of pixels, regions and channels."""

from __future__ import annotations

from segdistill.methods.base import Method, Sum
from segdistill.methods.cirkd import CIRKD
from segdistill.methods.cirkd_channel import CIRKDChannel
from segdistill.methods.cirkd_channel_memory import CIRKDChannelMemory
from segdistill.methods.cirkd_memory import CIRKDMemory
from segdistill.methods.fitnet import FitNet
from segdistill.methods.kd import KD
from segdistill.methods.presets.preset import Preset


def _make() -> Method:
    return Sum(
        KD(),
        CIRKD(),
        CIRKDMemory(pixels=20_000, regions=2_000, weight=0.1),
        CIRKDChannel(relation=1.0, regression=0.2),
        CIRKDChannelMemory(weight=0.1),
        FitNet(weight=1.0),
    )


PRESET = Preset(
    name="cirkdv2",
    about="`cirkd`, similarity to the channels of the batch and to 10000 remembered ones, and the features themselves.",
    source="Yang et al., Cross-Image Relational Knowledge Distillation for Semantic Segmentation, CVPR 2022, version 2",
    differences=(
        "The weights are those for DeepLabV3 with ResNet-18 on Cityscapes; other pairs of networks have a FitNet of up "
        "to 10. The channels' regression of weight 100 is a mean over positions, 0.2 here with 16 x 32 of them. The "
        "release lets a trained graph layer change the student's feature before all terms but KD; there is none here. "
        "Its channel memory starts with random maps, and its memories overwrite the newest at the ring's end; these "
        "faults are not repeated. It averages channels over 4 x 4 cells of a feature of stride 8; here it is the "
        "deepest encoder feature, which is as coarse."
    ),
    paper=_make,
)
