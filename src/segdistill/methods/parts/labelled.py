"""Mean over the pixels that have a label."""

from __future__ import annotations

from torch import Tensor


def mean_over_labelled(values: Tensor, valid: Tensor) -> Tensor:
    """Mean over images of each image's mean over its labelled pixels, as the supervised losses take it.

    An image without any counts as zero, with a graph: what an image weighs does not depend on its neighbours.

    Args:
        values: `(B, C, *spatial)`, finite also where they do not count.
        valid: `(B, 1, *spatial)`, which pixels count.
    """
    weight = valid.expand_as(values).flatten(1).to(values.dtype)
    return ((values.flatten(1) * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1)).mean()
