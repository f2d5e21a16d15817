"""Which columns of a table are scores, and which way is better."""

from __future__ import annotations

import re
from typing import Literal

Better = Literal["higher", "lower", "nearer zero"]

#: What names of distances and errors hold.
_LOWER = (
    *("mae", "mse", "rmse", "ber", "brier", "ece", "nll", "voe", "error", "errors", "absolute"),
    *("hd", "hd95", "hd100", "hausdorff", "asd", "assd", "msd", "masd", "rmsd", "distance"),
    *("fp", "fn", "missed", "made_up"),
)
#: Of errors with a sign.
_SIGNED = ("rvd", "volume_error", "burden_error", "bias")
#: What a row says about the masks, and what is no score.
_NO_SCORES = (
    *("id", "protocol", "version", "share", "empty", "bucket", "spacing", "height", "width", "size"),
    *("pixels", "voxels", "slices", "images", "cases", "volume_ml", "predicted", "target", "true"),
    *("true_positives", "false_positives", "false_negatives"),  # counts of pixels, large where the object is
)


def is_score(name: str) -> bool:
    """Whether a column may be compared; `kidney_voxels` is as little a score as `voxels`.

    Examples:
        >>> is_score("dice"), is_score("share"), is_score("kidney_voxels")
        (True, False, False)
    """
    return not any(_words(name).endswith(f"_{word}_") for word in _NO_SCORES)


def better(name: str) -> Better:
    """Say which way a score is better, by its name: `hd95`, `tumour_hd95` and `hd95/tumour` are distances.

    Examples:
        >>> better("dice"), better("kidney_hd95_edge"), better("rvd")
        ('higher', 'lower', 'nearer zero')
    """
    words = _words(name)
    if "_absolute_" not in words and any(f"_{word}_" in words for word in _SIGNED):
        return "nearer zero"
    return "lower" if any(f"_{word}_" in words for word in _LOWER) else "higher"


def _words(name: str) -> str:
    return f"_{re.sub(r'[^a-z0-9]+', '_', name.casefold())}_"
