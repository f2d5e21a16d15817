"""Which samples belong together: frames of one video, slices of one patient."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from segdistill.core import SegDistillError

# `case12_0034`, `10108_115`, `0001TP_006690`: a part with a digit names the case, the last number the frame.
# `IMG_0034` does not match: a prefix without a digit names the camera.
_CASE_AND_FRAME = re.compile(r"^(.*\d.*?)[_-][a-zA-Z]{0,6}\d+$")

Grouping = str | Callable[[str], str] | None


def group_by_name(ids: Sequence[str], rule: Grouping = None) -> list[str]:
    """Name the group of every id.

    Args:
        ids: Sample ids.
        rule: A regular expression whose first bracket is the group, a function of the id, or None to see
            whether the names have the form `<case with a digit>_<number>`; an id without a group is its own.

    Examples:
        >>> group_by_name(["p1_001", "p1_002", "p2_001"])
        ['p1', 'p1', 'p2']
        >>> group_by_name(["IMG_001", "IMG_002"])
        ['IMG_001', 'IMG_002']
    """
    if callable(rule):
        return [rule(name) for name in ids]
    if rule is not None:
        return _by_pattern(ids, rule)
    groups = [match[1] if (match := _CASE_AND_FRAME.match(name)) else name for name in ids]
    return groups if len(set(groups)) > 1 else list(ids)  # one group for all tells nothing


def _by_pattern(ids: Sequence[str], rule: str) -> list[str]:
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise SegDistillError(f"group={rule!r} is not a regular expression: {error}.") from error
    if pattern.groups < 1:
        raise SegDistillError(f"group={rule!r} has no bracket; mark the group's name, as in r'^(case\\d+)_'.")
    matches = [pattern.search(name) for name in ids]
    if not any(matches):
        raise SegDistillError(f"group={rule!r} matches none of {len(ids)} names, such as {ids[0]!r}.")
    return [match[1] if match and match[1] else name for name, match in zip(ids, matches, strict=True)]
