"""Pixel-wise and pair-wise attention for DeepLabV3+, the project before AICSD."""

from __future__ import annotations

from segdistill.methods.at import AT
from segdistill.methods.base import Method, Sum
from segdistill.methods.pair_wise import PairWise
from segdistill.methods.presets.preset import Preset, with_task_weight
from segdistill.methods.released.pair_wise import PairWisePublished
from segdistill.methods.released.seed002 import ColumnAttention

#: Positions of the decoder's map for the project's crops of 513 pixels.
_POSITIONS = 129**2
_BATCH = 6


def _paper() -> Method:
    return Sum(AT(taps="decoder", weight=100 / _POSITIONS), PairWise(taps="high", scale=0.5))


def _released() -> Method:
    pixel = with_task_weight(ColumnAttention(taps="decoder", weight=100), 1 / _BATCH)
    return Sum(pixel, PairWisePublished(taps="high", scale=0.5))


PRESET = Preset(
    name="pixel-pair",
    about="Attention of the decoder (pixel, 100) and similarity of the encoder's cells (pair, 1), for DeepLabV3+.",
    source="Mansourian et al., code at AmirMansurian/AICSD, commit da87a85, 2022",
    differences=(
        "The code brings every column of the attention map to unit length, where its text describes attention "
        "transfer; it holds the cells' length constant in the backward pass; and it divides the supervised loss by "
        "the batch size of 6 once more, so both terms act six times as strongly. `as_released` repeats all three. It "
        "does not repeat the teacher in training mode, nor the epoch that trains layers which no loss reaches. The "
        "weight of 100 is for a mean over the decoder's 129 x 129 positions, whence 0.006 in the canonical form. "
        "The pair term reads the ASPP's output there (`d5` of a DeepLabV3+); here it is the deepest encoder "
        "feature, which every network has."
    ),
    paper=_paper,
    released=_released,
)
