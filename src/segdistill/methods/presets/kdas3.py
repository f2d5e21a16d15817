"""Attention supervision and symmetrical guiding for polyps."""

from __future__ import annotations

from segdistill.methods.kdas import KDAS
from segdistill.methods.kdas_published import KDASPublished
from segdistill.methods.presets.preset import Preset

PRESET = Preset(
    name="kdas3",
    about="Both heads' logits, attended to (temperature 2), and symmetrical guiding: 0.3, against 0.7 for the labels.",
    source=KDAS.paper,
    differences=(
        "The code's attention supervision has no gradient, and is NaN for half of all maps: what trains the student is "
        "the guiding of the first head alone, which is `as_released`; the paper's figure guides the second. Both want "
        "networks with `head1` and `head2`, such as `PolypPVT`; on others name the maps of logits in `KDAS(heads=...)`."
    ),
    paper=lambda: KDAS(heads=("head1", "head2"), alpha=0.3, temperature=2),
    released=lambda: KDASPublished(head="head1", alpha=0.3),
)
