"""Where a feature has its energy, whatever its channels: the map of attention transfer."""

from __future__ import annotations

from torch import Tensor

from segdistill.methods.parts.directions import unit


def energy_map(feature: Tensor, power: float) -> Tensor:
    r"""The map $\mathrm{mean}_c |f_c|^p$ at unit length per image, `(B, positions)`; zero for a feature of zeros.

    Args:
        feature: `(B, C, *spatial)`.
        power: $p$, at least 1: below, the slope at zero is infinite.
    """
    size = feature.flatten(2).abs()
    # A power of a small or a large feature leaves float32; the map does not depend on the scale.
    scale = size.detach().amax(dim=(1, 2), keepdim=True).clamp(min=1e-30)
    return unit((size / scale).pow(power).mean(dim=1))
