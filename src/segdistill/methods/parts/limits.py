"""Refuse numbers that a method has no meaning for, each in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral, Real

from segdistill.core import SegDistillError


def check_finite(owner: str, /, **numbers: object) -> None:
    """Refuse what is no number, infinite, or NaN.

    Args:
        owner: The method, for messages; so in all of these.
        numbers: What was given, by name.
    """
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, Real) or not math.isfinite(number):
            raise SegDistillError(f"{owner} needs a finite number as {name}, got {number!r}.")


def check_positive(owner: str, /, **numbers: float) -> None:
    """Refuse numbers that are not above zero."""
    check_finite(owner, **numbers)
    for name, number in numbers.items():
        if not number > 0:
            raise SegDistillError(f"{owner} needs a positive {name}, got {number}.")


def check_weight(owner: str, weight: float) -> None:
    """Refuse a weight that switches a method off, or turns it around."""
    check_finite(owner, weight=weight)
    if not weight > 0:
        raise SegDistillError(
            f"{owner} needs a positive weight, got {weight}. Leave the method out to switch it off."
        )


def check_at_least(owner: str, least: float, /, **numbers: float) -> None:
    """Refuse numbers below a limit."""
    check_finite(owner, **numbers)
    for name, number in numbers.items():
        if not number >= least:
            raise SegDistillError(f"{owner} needs {name} of at least {least}, got {number}.")


def check_count(owner: str, least: int = 1, /, **counts: int) -> None:
    """Refuse what is no whole number, or below a limit."""
    _check_whole(owner, **counts)
    check_at_least(owner, least, **counts)


def _check_whole(owner: str, /, **counts: object) -> None:
    for name, count in counts.items():
        if isinstance(count, bool) or not isinstance(count, Integral):
            raise SegDistillError(f"{owner} needs a whole number as {name}, got {count!r}.")


def check_share(owner: str, /, *, zero: bool = False, one: bool = False, **shares: float) -> None:
    """Refuse numbers outside of 0 to 1.

    Args:
        owner: The method.
        zero: Zero itself will do.
        one: One itself will do.
        shares: What was given, by name.
    """
    check_finite(owner, **shares)
    for name, share in shares.items():
        if not (0 < share < 1 or (zero and share == 0) or (one and share == 1)):
            raise SegDistillError(f"{owner} needs {name} {_RANGES[zero, one]}, got {share}.")


_RANGES = {
    (False, False): "between 0 and 1",
    (True, False): "from 0 to below 1",
    (False, True): "above 0 and up to 1",
    (True, True): "from 0 to 1",
}


def check_factors(owner: str, factors: Mapping[str, float]) -> None:
    """Refuse factors of a method's terms that are negative, or all zero."""
    check_at_least(owner, 0, **factors)
    if not any(factors.values()):
        raise SegDistillError(f"{owner} has nothing left: {', '.join(factors)} are all 0. Raise one of them.")
