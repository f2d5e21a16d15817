"""Tables and lines, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from segdistill.cli import output


@pytest.fixture
def terminal(monkeypatch):
    """Pretend to be a terminal; `.getvalue()` is what it shows."""
    screen = io.StringIO()
    monkeypatch.setattr(
        output, "console", lambda **_: Console(file=screen, force_terminal=True, width=60, highlight=False)
    )
    return screen


def test_a_table_in_a_log_is_aligned_plain_text(capsys):
    output.table(("run", "Dice"), [("a", 0.5), ("longer name", None)], title="Scores")
    assert capsys.readouterr().out == "Scores\nrun          Dice\na            0.5\nlonger name\n"


def test_a_line_in_a_log_is_not_wrapped(capsys):
    output.say("word " * 100 + "[end]")
    assert capsys.readouterr().out == "word " * 100 + "[end]\n"


def test_a_table_on_a_terminal_has_rules_and_shows_brackets_as_they_are(terminal):
    output.table(("name", "value"), [("[a]", "1.5")])
    shown = terminal.getvalue()
    assert "[a]" in shown
    assert "┃" in shown


def test_no_color_is_honoured(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert output.console().no_color


def test_a_missing_score_is_a_dash():
    assert (output.score(None), output.score(0.9)) == ("-", "0.9000")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (61, "1 min 1 s"), (3600, "1 h 0 min"), (7322, "2 h 2 min")],
)
def test_durations_read_as_a_person_says_them(seconds, words):
    assert output.duration(seconds) == words
