"""The goals of the table, answered from its record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.polyp_results.record import MEASURES
from benchmarks.polyp_results.speed import ORIGINALS
from benchmarks.ranking import points
from benchmarks.tables import markdown, share

PARAMETERS = 7e6
#: meanDic by pranet-py that a student has to exceed.
MEAN_DICE = {"Kvasir": 0.90, "CVC-ClinicDB": 0.92}

#: Below so many a gain may be one training's luck, and its interval does not know.
SEEDS = 3

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One condition of the first goal.

    Attributes:
        about: What is asked.
        value: What was found; `None` if it is not known.
        limit: What it is compared with.
        more: Whether more is better.
    """

    about: str
    value: float | None
    limit: float | None
    more: bool = True

    @property
    def reached(self) -> bool | None:
        """Whether it holds; `None` if that is not known."""
        if self.value is None or self.limit is None:
            return None
        return self.value > self.limit if self.more else self.value < self.limit

    def __str__(self) -> str:
        """The answer, and what was found."""
        if self.reached is None or self.value is None or self.limit is None:
            return "not known"
        millions, shares = self.limit >= 1e6, self.limit < 1
        value = (
            f"{self.value / 1e6:.2f} M"
            if millions
            else share(self.value)
            if shares
            else f"{self.value:.1f} FPS"
        )
        return f"{'yes' if self.reached else 'no'}, {value}"


def answers(record: Row) -> str:
    """What was to be reached, and whether it was."""
    return f"{of_students(record)}\n\n{of_gains(record)}"


def of_students(record: Row) -> str:
    """The first goal, and a table of what it asks."""
    asked = (
        "**A student under 7 M parameters with Kvasir mDice > .90 and ClinicDB > .92, "
        "faster than both projects' students:** "
    )
    found = [(row, checks(row, record)) for row in record["rows"]]
    if not found:
        return f"{asked}not known, nothing is trained yet."
    by = [
        f"{row['student']} with {row['method']} ({seeds(row)})"
        for row, each in found
        if all(c.reached for c in each)
    ]
    answer = f"reached by {', '.join(by)}" if by else "not reached"
    head = ["student", "method", "trained", *(check.about for check in found[0][1])]
    rows = [[row["student"], row["method"], seeds(row), *map(str, each)] for row, each in found]
    return f"{asked}{answer}.\n\n{markdown(head, rows)}"


def seeds(row: Row) -> str:
    """How often a student was trained."""
    count = len(row["seeds"])
    return f"{count} seed{'s'[: count > 1]}"


def of_gains(record: Row) -> str:
    """The second goal."""
    asked = "**A gain of distillation whose interval excludes zero:** "
    every = [each for each in tested(record) if len(each["row"]["gain_seeds"]) >= SEEDS]
    if not every:
        return f"{asked}not known, no student has {SEEDS} seeds with and without a teacher."
    above, below = excluding(every), excluding(every, above=False)
    answer = f"reached.\n\n{told(above)}" if above else "not reached."
    worse = f"\n\nDistillation made it worse, likewise sure:\n\n{told(below)}" if below else ""
    return (
        f"{asked}{answer}{worse}\n\n{len(every)} differences of {SEEDS} seeds or more were tested; without any effect, "
        "about one in forty would lie above zero and one in forty below."
    )


def told(found: Iterable[Row]) -> str:
    """Gains as a list."""
    return "\n".join(
        f"- {each['row']['student']} with {each['row']['method']} on {each['set']} by `{each['protocol']}`: "
        f"{points(spread(each))}"
        for each in found
    )


def spread(found: Row) -> dict[str, float]:
    """A difference as `points` takes it."""
    return {"difference": found["difference"], "low": found["interval"][0], "high": found["interval"][1]}


def checks(row: Row, record: Row) -> list[Check]:
    """Everything that the first goal asks of a student."""
    networks = (record["speed"] or {}).get("networks", {})
    own = networks.get(speed_name(row["student"]), {})
    fastest = max((networks[name]["fps"] for name in ORIGINALS if name in networks), default=None)
    return [
        Check("under 7 M parameters", own.get("parameters"), PARAMETERS, more=False),
        *(
            Check(f"{name} mDice > {limit:.2f}", mean_dice(row, name), limit)
            for name, limit in MEAN_DICE.items()
        ),
        Check("faster than both projects' students", own.get("fps"), fastest),
    ]


def speed_name(student: str) -> str:
    """The network that was timed for a student; its weights do not matter."""
    return student.removesuffix("-imagenet")


def mean_dice(row: Row, name: str) -> float | None:
    """Mean over seeds of meanDic by pranet-py; `None` where the set is missing."""
    found = row["scores"]["pranet-py"].get(name)
    return found["meanDic"]["mean"] if found else None


def tested(record: Row) -> list[dict[str, Any]]:
    """All gains in Dice, by student, method, protocol and test set."""
    return [
        {**by_measure[MEASURES[protocol][0]], "row": row, "protocol": protocol, "set": name}
        for row in record["rows"]
        for protocol, sets in row["gains"].items()
        for name, by_measure in sets.items()
    ]


def excluding(gains: list[dict[str, Any]], *, above: bool = True) -> list[dict[str, Any]]:
    """Those whose interval lies above zero, or below."""
    return [each for each in gains if (each["interval"][0] > 0 if above else each["interval"][1] < 0)]
