"""The pages of the methods are what the code says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import pages
from segdistill.methods import Method

ROOT = Path(__file__).parents[1]
METHODS = sorted(Method.catalogue)  # now, before tests of pages define methods of their own

PAGES = pages.pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_up_to_date(name):
    assert (pages.FOLDER / name).read_text(encoding="utf-8") == PAGES[name], "run `make docs`"


def test_no_page_is_left_of_a_method_that_is_gone():
    assert {path.name for path in pages.FOLDER.iterdir()} == set(PAGES)


@pytest.mark.parametrize("name", METHODS)
def test_a_page_describes_every_argument(name):
    _, said = pages.split_docstring(Method.catalogue[name])
    assert all(said.values())
    assert "| `weight` |" in PAGES[f"{name}.md"]
    assert "|  |" not in PAGES[f"{name}.md"]


def test_the_list_holds_every_method_once():
    rows = [line for line in PAGES["README.md"].split("## Results")[0].splitlines() if line.startswith("| [")]
    assert sorted(line.split("]")[0][3:] for line in rows) == METHODS


def test_an_argument_of_several_lines_is_read_to_its_end():
    class Example:
        """Do something.

        Because.

        Args:
            one: First line
                and second.
            two: Alone.

        Raises:
            SegDistillError: Never.
        """

    body, said = pages.split_docstring(Example)
    assert body == "Do something.\n\nBecause."
    assert said == {"one": "First line and second.", "two": "Alone."}


def test_a_page_shows_what_was_measured():
    span = {"difference": 0.012, "low": 0.001, "high": 0.02}
    row = {
        "dice": {"mean": 0.81, "sd": 0.01},
        "gain": span,
        "gain_at_equal_time": span,
        "milliseconds": {"distilled": 312.0},
        "times": 1.21,
        "device": "2 CPU threads",
        "parameters": 5120,
        "weight": 2.5,
    }
    text = pages.result("KD", Method.catalogue["KD"], {"methods": {"KD": row}})
    assert "0.810 ± 0.010" in text
    assert "+1.20 (+0.10 to +2.00)" in text
    assert "312 ms, 1.21 times" in text
    assert "Its weight there was 2.5" in text


def test_a_method_that_the_table_cannot_hold_says_why():
    assert "whose task is binary" in pages.result("DKD", Method.catalogue["DKD"], {})
