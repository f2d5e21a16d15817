"""Distillation between levels of different depth."""

from __future__ import annotations

from typing import Any

from segdistill.methods.base import Method
from segdistill.methods.hlfd import HLFD
from segdistill.methods.presets.preset import Preset
from segdistill.methods.released.untrained import Untrained


def _released(**options: Any) -> Method:
    return Untrained(HLFD(**options))


PRESET = Preset(
    name="hlfd",
    about="The teacher's middle layers for the student's first, its last for the student's middle ones (0.1 and 0.9).",
    source=HLFD.paper,
    differences=(
        "The code draws its projections anew in every step and trains none, so that even equal logits differ; "
        "`as_released` repeats that. Its softmax over feature channels, which are no classes, is not repeated. Both "
        "want networks with all levels from `e1` to `e5`; where one begins at `e2`, as mit_b0 does, write "
        "`encoder: [e2, e3, e4, e5]`."
    ),
    paper=HLFD,
    released=_released,
)
