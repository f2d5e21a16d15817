"""From `{NAME: {options}}` to objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from segdistill.config.build import arguments, build, coerce, complete
from segdistill.core import SegDistillError

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass(frozen=True)
class Box:
    """Something with options of many types."""

    size: tuple[int, int]
    weight: float = 1.0
    mode: Literal["fast", "slow"] = "fast"
    factors: Mapping[str, float] = field(default_factory=dict)
    place: Path | None = None
    flag: bool = False
    opaque: object = print


def swallow(width: int = 3, **extra: object) -> dict[str, object]:
    return {"width": width, **extra}


def checked_elsewhere(value: Decimal, count: int = 1) -> tuple[object, int]:
    return value, count


KNOWN = {"Box": Box, "swallow": swallow, "checked_elsewhere": checked_elsewhere}


def test_options_become_arguments_of_the_annotated_types():
    box = build({"Box": {"size": [2, "3"], "weight": "0.5", "place": "a/b"}}, KNOWN)
    assert box == Box((2, 3), 0.5, place=Path("a/b"))


def test_a_name_alone_takes_the_defaults():
    assert build("swallow", KNOWN) == build({"swallow": None}, KNOWN) == {"width": 3}


def test_a_wrong_name_names_the_right_one():
    with pytest.raises(SegDistillError, match="Unknown thing 'Bx'. Did you mean 'Box'"):
        build("Bx", KNOWN, kind="thing")


def test_a_wrong_option_names_the_right_one():
    with pytest.raises(SegDistillError, match="Unknown option of Box 'wieght'. Did you mean 'weight'"):
        build({"Box": {"size": [1, 1], "wieght": 2}}, KNOWN)


def test_an_option_that_kwargs_would_swallow_is_an_error():
    with pytest.raises(SegDistillError, match="Unknown option of swallow 'widht'"):
        build({"swallow": {"widht": 2}}, KNOWN)


def test_a_missing_option_is_named():
    with pytest.raises(SegDistillError, match="Box needs the option 'size'"):
        build("Box", KNOWN)


@pytest.mark.parametrize("spec", [3, ["Box"], {"Box": {}, "swallow": {}}, {"Box": 3}, {}, None])
def test_a_spec_of_another_form_says_how_to_write_it(spec):
    with pytest.raises(SegDistillError, match="is written NAME or {NAME: {option: value}}"):
        build(spec, KNOWN)


@pytest.mark.parametrize(
    ("value", "expected", "words"),
    [
        ("fast", float, "x must be a number, got 'fast'"),
        ("none", float | None, "a number or null"),
        (1.5, int, "a whole number"),
        (True, int, "a whole number, got True"),
        (True, str, "a text, got True"),
        ([1], tuple[int, int], r"a list \[int, int\]"),
        (3, Sequence[str], r"a list \[str\]"),
        (3, Mapping[str, float], "a mapping"),
        ("slo", Literal["fast", "slow"], "Unknown value of x 'slo'. Did you mean 'slow'"),
        (3, Literal["fast", "slow"], "'fast' or 'slow', got 3"),
        ("maybe", bool, "true or false"),
        (3, Path | None, "a path or null"),
    ],
)
def test_a_value_of_the_wrong_type_says_what_it_must_be(value, expected, words):
    with pytest.raises(SegDistillError, match=words):
        coerce(value, expected, where="x")


def test_a_number_serves_as_a_text():
    assert coerce(32, str, where="training.precision") == "32"


def test_types_that_only_type_checkers_know_are_left_alone():
    assert build({"checked_elsewhere": {"value": "1.0", "count": "2"}}, KNOWN) == ("1.0", 2)


def test_variables_are_replaced_before_values_are_checked(monkeypatch):
    monkeypatch.setenv("WIDTH", "7")
    assert arguments(swallow, {"width": "${WIDTH}"}, owner="swallow") == {"width": 7}


def test_complete_fills_in_every_default_that_a_file_can_hold():
    full = complete(Box, {"size": (1, 2)}, owner="Box")
    assert full == {
        "size": [1, 2],
        "weight": 1.0,
        "mode": "fast",
        "factors": {},
        "place": None,
        "flag": False,
    }


def test_complete_keeps_variables_but_checks_what_they_hold(monkeypatch):
    monkeypatch.setenv("WIDTH", "7")
    assert complete(swallow, {"width": "${WIDTH}"}, owner="swallow") == {"width": "${WIDTH}"}
    monkeypatch.setenv("WIDTH", "wide")
    with pytest.raises(SegDistillError, match="swallow.width must be a whole number, got 'wide'"):
        complete(swallow, {"width": "${WIDTH}"}, owner="swallow")
