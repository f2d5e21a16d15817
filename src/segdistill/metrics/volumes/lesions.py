"""Which lesions were found: matching of connected components."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segdistill.metrics.volumes.surfaces import Bits

Groups = NDArray[np.intp]


class Detection(NamedTuple):
    """How many lesions were found, made up and missed."""

    found: int
    made_up: int
    missed: int


def detect(predicted: Bits, target: Bits, *, overlap: float = 0.5) -> Detection:
    """Match predicted to true lesions, the components of voxels that share a face.

    True lesions go with the predicted one that covers most of them; those with the same one are taken as one lesion.
    Then predicted lesions go with the true one of which they cover most, and are joined in the same way. A true lesion
    is found if its Jaccard index with what goes with it is larger than `overlap`.

    Args:
        predicted: `(D, H, W)`.
        target: `(D, H, W)`.
        overlap: Jaccard index above which a lesion is found.
    """
    from scipy.ndimage import label

    (p, p_count), (t, t_count) = label(predicted), label(target)
    pairs = np.bincount(
        (p.astype(np.intp) * (t_count + 1) + t).ravel(), minlength=(p_count + 1) * (t_count + 1)
    )
    table = pairs.reshape(p_count + 1, t_count + 1)
    sizes = table.sum(axis=1)[1:], table.sum(axis=0)[1:]
    shared = table[1:, 1:]
    true_groups = _groups(shared.T)
    shared, true_sizes = _joined(shared.T, true_groups).T, _joined(sizes[1], true_groups)
    predicted_groups = _groups(shared)
    shared, predicted_sizes = _joined(shared, predicted_groups), _joined(sizes[0], predicted_groups)
    union = predicted_sizes[:, None] + true_sizes - shared
    # Every group of predicted lesions went with one true one, its largest share.
    found = int(np.count_nonzero((shared > overlap * union).any(axis=0)))
    return Detection(found, len(predicted_sizes) - found, len(true_sizes) - found)


def _groups(shared: NDArray[np.intp]) -> Groups:
    """Number of the group of every row: rows whose largest share is in the same column go together."""
    rows, columns = shared.shape
    if not columns:
        return np.arange(rows)
    alone = np.arange(columns, columns + rows)
    best = np.where(shared.any(axis=1), shared.argmax(axis=1), alone)
    return np.unique(best, return_inverse=True)[1]


def _joined(values: NDArray[np.intp], groups: Groups) -> NDArray[np.intp]:
    """Sum of the rows of every group."""
    joined = np.zeros((len(np.unique(groups)), *values.shape[1:]), dtype=np.intp)
    np.add.at(joined, groups, values)
    return joined
