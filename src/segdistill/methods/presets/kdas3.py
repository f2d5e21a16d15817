"""Attention supervision and symmetrical guiding for polyps."""

from __future__ import annotations

from segdistill.methods.kdas import KDAS
from segdistill.methods.kdas_published import KDASPublished
from segdistill.methods.presets.preset import Preset

PRESET = Preset(
    name="kdas3",
    about="Attended logits of both networks (temperature 2) and symmetrical guiding: 0.3, against 0.7 for the labels.",
    source=KDAS.paper,
    differences=(
        "The code's attention supervision has no gradient, and is NaN for half of all maps: what trains the student is "
        "the guiding of the first head alone, which is `as_released`. The authors' networks have two heads, here it is "
        "the logits; name both in `KDAS(heads=...)` where there are two."
    ),
    paper=lambda: KDAS(alpha=0.3, temperature=2),
    released=lambda: KDASPublished(alpha=0.3),
)
