"""Whether differences lie on one side of zero, by their ranks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: The rule, to stand beside the numbers.
RULE = (
    "Wilcoxon's signed-rank test, two-sided; zero differences are ranked, then dropped (Pratt), ties share their mean "
    "rank, differences are rounded to 12 digits first; exact without ties and zeros up to 50 pairs, with them up to "
    "13 pairs, else by the normal approximation"
)
#: What rounding leaves of equal scores is no difference, and has no rank of its own.
DIGITS = 12


def signed_rank(differences: NDArray[np.floating[Any]]) -> float:
    """Test paired differences by Wilcoxon's signed ranks, as `RULE` says.

    Args:
        differences: `(pairs,)`, one or more.

    Returns:
        The two-sided p value; 1 where nothing differs.

    Examples:
        >>> signed_rank(np.array([0.1, 0.2, 0.3]))  # the least that three pairs can give
        0.25
    """
    from scipy.stats import wilcoxon  # takes half a second to import

    rounded = np.round(differences, DIGITS)
    if not rounded.any():
        return 1.0
    return float(wilcoxon(rounded, zero_method="pratt", correction=False, method="auto").pvalue)


def least(pairs: int) -> float:
    """The smallest two-sided p value that so many pairs can give.

    Examples:
        >>> least(3), least(6)
        (0.25, 0.03125)
    """
    return float(2.0 ** (1 - pairs))
