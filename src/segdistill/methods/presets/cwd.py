"""Channel-wise distillation of the logits."""

from __future__ import annotations

from segdistill.methods.cwd import CWD
from segdistill.methods.presets.preset import Preset

PRESET = Preset(
    name="cwd",
    about="Where each class's logit map has its mass, at temperature 4 and weight 3.",
    source="Shu et al., Channel-wise Knowledge Distillation for Dense Prediction, ICCV 2021",
    differences=(
        "With its option `norm_type=channel` the code computes what the paper says; its default, `none`, takes the "
        "logarithm of raw logits and is not this method. On features the authors have a weight of 50: "
        '`CWD(taps="high", weight=50)`. OpenMMLab\'s version has temperature 1 and weight 5.'
    ),
    paper=lambda: CWD(temperature=4, weight=3),
)
