"""The MobileNet polyp project."""

from __future__ import annotations

from segdistill.methods.base import Method
from segdistill.methods.presets.preset import Preset, with_task_weight
from segdistill.methods.soft_bce import SoftBCE

_ALPHA = 0.6


def _paper() -> Method:
    return with_task_weight(SoftBCE(temperature=4, weight=1 - _ALPHA), _ALPHA)


PRESET = Preset(
    name="polyp-mobilenet",
    about="The teacher's probabilities at temperature 4 as labels (0.4), against 0.6 for the true ones.",
    source="code at EifelLN/mobilenet_polyp_segmentation, after Hinton et al., 2015 (arXiv 1503.02531)",
    differences=(
        "There is no paper. The README speaks of a mean squared error of softened logits, which would be `LogitMSE`; "
        "the code computes this."
    ),
    paper=_paper,
)
