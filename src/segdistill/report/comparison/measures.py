"""Which columns of a table are scores, and which way is better."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Literal

Better = Literal["higher", "lower", "nearer zero"]

#: What names of distances and errors end in.
_LOWER = (
    *("mae", "mse", "rmse", "ber", "brier", "ece", "nll", "voe", "error", "errors"),
    *("hd", "hd95", "hd100", "hausdorff", "asd", "assd", "msd", "masd", "rmsd", "distance"),
    *("fp", "fn", "missed", "made_up"),
)
#: Of errors with a sign.
_SIGNED = ("rvd", "volume_error", "burden_error", "bias")
#: What may follow the measure: of which form it is, or its unit.
_FORMS = ("edge", "surfel", "top_label", "ml", "mm")
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
    """Say which way a score is better, by the measure that its name ends in: what stands before is that of a class.

    Examples:
        >>> better("dice"), better("kidney_hd95_edge"), better("rvd"), better("fp_dice")
        ('higher', 'lower', 'nearer zero', 'higher')
    """
    measure = _measure(name)
    if "_absolute_" not in measure and measure.endswith(tuple(f"_{word}_" for word in _SIGNED)):
        return "nearer zero"
    return "lower" if measure.endswith(tuple(f"_{word}_" for word in _LOWER)) else "higher"


def repeats(name: str, others: Container[str]) -> bool:
    """Whether a column holds the absolute values of another, by which errors with a sign are compared anyway.

    Examples:
        >>> repeats("absolute_volume_error_ml", ["volume_error_ml"])
        True
    """
    signed = name.replace("absolute_", "", 1)
    return signed != name and signed in others and better(signed) == "nearer zero"


def _measure(name: str) -> str:
    words = _words(name)
    form = next((form for form in _FORMS if words.endswith(f"_{form}_")), None)
    return words.removesuffix(f"{form}_") if form else words


def _words(name: str) -> str:
    return f"_{re.sub(r'[^a-z0-9]+', '_', name.casefold())}_"
