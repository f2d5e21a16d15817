"""Several levels of a network at once: pair them up, and bring them to one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from segdistill.core import Output, SegDistillError
from segdistill.methods.base import Taps
from segdistill.methods.parts.adapters import match_size


def pair_up(method: str, levels: Taps, *, least: int = 1) -> dict[str, str]:
    """Names of the student's taps with the teacher's, in their order.

    Args:
        method: For messages.
        levels: One name, several, or a mapping from the student's names to the teacher's.
        least: How many there must be.

    Raises:
        SegDistillError: If there are fewer.
    """
    names = [levels] if isinstance(levels, str) else levels
    pairs = dict(names) if isinstance(names, Mapping) else {name: name for name in names}
    if len(pairs) < least:
        raise SegDistillError(
            f"{method} needs at least {least} tap{'s' * (least > 1)} here, got {list(pairs)}. Name more levels."
        )
    return pairs


def check_ranks(
    method: str, student: Output, mine: Sequence[str], teacher: Output, theirs: Sequence[str]
) -> None:
    """Refuse maps of different numbers of spatial dimensions.

    Raises:
        SegDistillError: Naming the first pair.
    """
    first = student[mine[0]].ndim
    for owner, output, names in (("student", student, mine), ("teacher", teacher, theirs)):
        for name in names:
            if output[name].ndim != first:
                raise SegDistillError(
                    f"{method} cannot compare tap {mine[0]!r} of the student with {name!r} of the {owner}: "
                    f"one has {first - 2} spatial dimensions, the other {output[name].ndim - 2}."
                )


def unify(output: Output, names: Sequence[str]) -> Tensor:
    """Levels as one map, `(B, sum of channels, *smallest size)`, in float32.

    Args:
        output: Holds them.
        names: Which; a single one stays as it is.
    """
    maps = [output[name].float() for name in names]
    size = smallest(*maps)
    return torch.cat([match_size(x, size) for x in maps], dim=1)


def to_smaller(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Two maps at the smaller of their sizes, along each axis."""
    size = smallest(one, other)
    return match_size(one, size), match_size(other, size)


def smallest(*maps: Tensor) -> tuple[int, ...]:
    """The smallest size along each spatial axis."""
    return tuple(min(sizes) for sizes in zip(*(x.shape[2:] for x in maps), strict=True))
