"""One colour per run, the same in every plot and table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

ROLES = ("teacher", "baseline", "distilled")

#: The colours of Okabe and Ito that the field gives to the three runs.
COLORS = {"baseline": "#D55E00", "teacher": "#009E73", "distilled": "#0072B2"}
#: For every further run; yellow is left out, it is too faint for a line.
CYCLE = ("#CC79A7", "#E69F00", "#56B4E9", "#000000")
#: Distillation by its abbreviation, which is a word of its own: `Best_kd`, but not `tkdnet`.
_KD = re.compile(r"(?<![a-z])kd(?![a-z])")
DASHES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class Stroke:
    """How the line of one run looks."""

    color: str
    dash: str


def role_of(label: str, *, distilled: bool = False) -> str:
    """Guess the part a run plays from its label, or else from what it was trained with.

    Args:
        label: Name of the run.
        distilled: Whether it was trained with terms other than the task's loss.

    Returns:
        `"teacher"`, `"baseline"`, `"distilled"`, or `""`.

    Examples:
        >>> role_of("teacher-b2"), role_of("Student without distillation"), role_of("cwd", distilled=True)
        ('teacher', 'baseline', 'distilled')
    """
    name = label.casefold()
    if "teacher" in name:
        return "teacher"
    if "baseline" in name or "without" in name or "plain" in name:
        return "baseline"
    return "distilled" if distilled or "distil" in name or _KD.search(name) else ""


def strokes(roles: Sequence[str]) -> list[Stroke]:
    """Give each run a line: the first of a role its colour, every other the next free one.

    Examples:
        >>> [s.color for s in strokes(["baseline", "distilled", "distilled"])]
        ['#D55E00', '#0072B2', '#CC79A7']
    """
    chosen: list[Stroke] = []
    taken: set[str] = set()
    more = 0
    for role in roles:
        if role in COLORS and role not in taken:
            taken.add(role)
            chosen.append(Stroke(COLORS[role], "-"))
            continue
        chosen.append(Stroke(CYCLE[more % len(CYCLE)], DASHES[more // len(CYCLE) % len(DASHES)]))
        more += 1
    return chosen
