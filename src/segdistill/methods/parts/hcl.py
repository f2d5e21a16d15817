"""Distance of two maps at several scales at once: the hierarchical context loss of ReviewKD."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from segdistill.methods.parts.adapters import match_size


def hierarchical_mse(student: Tensor, teacher: Tensor, levels: Sequence[int] = (4, 2, 1)) -> Tensor:
    r"""Mean squared difference of two maps, as they are and averaged over ever larger cells.

    $$\frac{\sum_l 2^{-l} \; \mathrm{mean} \, \big(\mathrm{pool}_l(f^s) - \mathrm{pool}_l(f^t)\big)^2}
    {\sum_l 2^{-l}}$$

    where level 0 is the map itself. A map whose height (its first axis) is not larger than a level leaves it out,
    as in the authors' code; another axis that is not longer keeps its length there, where theirs would enlarge it.

    Args:
        student: `(B, C, *spatial)`.
        teacher: Of the same shape.
        levels: Cells per axis, from fine to coarse.

    Returns:
        A scalar.
    """
    # Pooling is linear: the difference is pooled, not both maps.
    difference = student - teacher
    total, weight, weights = difference.square().mean(), 1.0, 1.0
    for level in levels:
        if difference.shape[2] <= level:
            continue
        cells = [min(level, n) for n in difference.shape[2:]]
        weight /= 2
        weights += weight
        total = total + weight * match_size(difference, cells).square().mean()
    return total / weights
