"""YAML 1.2, not 1.1: what looks like a number is one, what looks like a word is one."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.config.text import dump, parse, parse_file
from segdistill.core import SegDistillError

PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="ascii")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcno3e-4", min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


def read(text):
    return parse(text, source="test")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("3e-4", 0.0003),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("-2.", -2.0),
        ("010", 10),
        ("no", "no"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("2026-01-01", "2026-01-01"),
        ("true", True),
        ("~", None),
        ("null", None),
        ("1e", "1e"),
    ],
)
def test_scalars_mean_what_a_reader_expects(written, value):
    assert read(f"x: {written}") == {"x": value}
    assert type(read(f"x: {written}")["x"]) is type(value)


def test_infinity_is_a_number():
    assert math.isinf(read(".inf"))


@settings(max_examples=30, deadline=None)
@given(PLAIN)
def test_what_is_written_is_read_back(value):
    assert read(dump(value)) == value


@settings(max_examples=30, deadline=None)
@given(PLAIN.filter(lambda value: "Infinity" not in json.dumps(value)))
def test_json_is_yaml(value):
    assert read(json.dumps(value)) == value


def test_a_key_that_stands_twice_is_an_error():
    with pytest.raises(SegDistillError, match="In test: 'lr' stands twice, again in line 3"):
        read("training:\n  lr: 1\n  lr: 2")


def test_a_damaged_file_is_named_with_its_line(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("a: 1\nb: [1, 2\nc: 3")
    with pytest.raises(SegDistillError, match=r"mine\.yaml, line 3 is not YAML"):
        parse_file(path)


def test_a_binary_file_is_no_recipe(tmp_path):
    path = tmp_path / "weights.yaml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(SegDistillError, match="not a text file"):
        parse_file(path)


def test_a_file_cannot_run_code():
    with pytest.raises(SegDistillError, match="not YAML"):
        read("!!python/object/apply:os.getcwd []")
