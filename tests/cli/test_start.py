"""The command line starts at once and explains itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from segdistill import __version__
from segdistill.cli import app

COMMANDS = sorted(get_command(app).commands)
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "command-line.md"
TABLE = REFERENCE.read_text().partition("several commands share")[2].partition("\n## ")[0]
SHARED = {*re.findall(r"^\| `(-[\w-]+)", TABLE, re.MULTILINE)}
HEAVY = ("torch", "numpy", "timm", "cv2", "matplotlib", "pydantic", "yaml", "segmentation_models_pytorch")


def start(code):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "COVERAGE_PROCESS_START": ""},
    )


def test_nothing_heavy_is_imported_before_a_command_runs():
    code = f"import sys; from segdistill.cli import app; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert start(code).stdout.strip() == "[]"


def test_a_mistake_before_anything_heavy_is_loaded_is_a_sentence_too():
    command = [sys.executable, "-m", "segdistill", "train", "demoo", "--out", "x"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: Unknown recipe 'demoo'. Did you mean 'demo'?")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command, run):
    result = run(command, "--help")
    assert result.exit_code == 0
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.stdout).split())
    assert text.count(f"segdistill {command}") >= 2, "the usage line and an example"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_at_most_eight_flags_and_all_are_explained(command):
    parameters = get_command(app).commands[command].params
    flags = [p for p in parameters if p.param_type_name == "option" and p.name != "help"]
    own = [p for p in flags if not SHARED & {*p.opts}]
    assert len(own) <= 8
    assert all(p.help for p in flags)


def test_the_commands_of_the_plan_are_there():
    wanted = (
        "app cache compare demo distill doctor evaluate export import-config methods models plot predict recipes "
        "report score train"
    )
    assert wanted.split() == COMMANDS


def test_version(run):
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, f"segdistill {__version__}\n")


def test_no_command_at_all_shows_the_help(run):
    result = run()
    assert result.exit_code == 2
    assert "demo" in result.output
