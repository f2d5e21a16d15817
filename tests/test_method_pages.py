"""The pages of the methods are what the code says today."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs import pages
from segdistill.methods import Method

ROOT = Path(__file__).parents[1]
METHODS = sorted(Method.catalogue)  # now, before tests of pages define methods of their own

PAGES = pages.pages()


def test_the_pages_are_up_to_date():
    written = {name: (pages.FOLDER / name).read_text(encoding="utf-8") for name in PAGES}
    assert not [name for name in PAGES if written[name] != PAGES[name]], "run `make docs`"


def test_no_page_is_left_of_a_method_that_is_gone():
    assert {path.name for path in pages.FOLDER.iterdir()} == set(PAGES)


def test_a_page_describes_every_argument():
    for name in METHODS:
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


SPAN = {"difference": 0.012, "low": 0.001, "high": 0.02}
ROW = {
    "dice": {"mean": 0.81, "sd": 0.01},
    "gain": SPAN,
    "gain_at_equal_time": {**SPAN, "at_most": True},
    "milliseconds": {"distilled": 312.0},
    "step_ratio": 1.21,
    "time_ratio": 4.6,
    "peak_mib": 640.2,
    "device": "2 CPU threads",
    "parameters": 5120,
    "weight": 2.5,
    "balanced": True,
}


def test_a_page_shows_what_was_measured():
    text = pages.result("KD", Method.catalogue["KD"], {"methods": {"KD": ROW}})
    assert "0.810 ± 0.010" in text
    assert ": +1.20 (+0.10 to +2.00) points" in text
    assert "at most +1.20 (+0.10 to +2.00) at equal time" in text
    assert "312 ms, 1.21 times" in text
    assert "4.60 times one alone, with a peak of 640 MiB" in text
    assert "Its weight there was 2.5, at which it pulls as much as the labels" in text


def test_a_page_says_that_a_weight_was_not_balanced():
    row = {**ROW, "balanced": False, "time_ratio": None, "gain_at_equal_time": None}
    text = pages.result("KD", Method.catalogue["KD"], {"methods": {"KD": row}})
    assert "Its weight there was 2.5, its default" in text
    assert "equal time" not in text


def test_the_table_says_how_many_methods_are_compared():
    setup = {"images": 400, "size": 192, "training": {"epochs": 6}, "tests": ["Kvasir"], "options": {}}
    text = pages.about_results({"setup": setup, "methods": dict.fromkeys(METHODS), "command": "this"})
    assert f"{len(METHODS)} methods are compared at once: about one interval in twenty" in text


@pytest.mark.parametrize(
    "written",
    [
        "`CIRKDMemory(pixels=20000, regions=2000)` on high",
        "`Untrained(method=SPARK(factors=[0.01085, 0.00651, 0.1736, 0.08681], weight=0.08))` on low and high",
        "`AT(taps=['low', 'high'], power=4, weight=0.9)` on low and high",
    ],
)
def test_a_preset_is_written_with_all_that_it_sets(written):
    assert written in PAGES["presets.md"]


def test_a_method_that_the_table_cannot_hold_says_why():
    assert "whose task is binary" in pages.result("DKD", Method.catalogue["DKD"], {})
