"""A command line in the same process, a recipe that trains in a second, and the runs it gives."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest
import typer.testing
import yaml
from typer.testing import CliRunner

from segdistill.cli import app
from toys import Discs

RECIPE = {
    "name": "tiny",
    "data": {"synthetic": {"train": 8, "val": 2, "test": 2, "size": [32, 32]}},
    "teacher": {"net": {"toys.TinyNet": {"width": 8}}, "weights": "none"},
    "student": {"net": {"toys.TinyNet": {"width": 4}}, "weights": "none"},
    "method": "KD",
    "training": {"epochs": 2, "batch_size": 4, "workers": 0, "accelerator": "cpu", "precision": "32"},
}


@pytest.fixture(scope="session")
def run():
    """Run a command; `.exit_code`, `.stdout` and `.stderr` tell how it went."""
    runner = CliRunner()
    # Typer builds all commands anew, 10 ms, whenever one is run.
    typer.testing._get_command = cache(typer.main.get_command)

    def invoke(*arguments):
        result = runner.invoke(app, [str(a) for a in arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return invoke


@pytest.fixture
def refused(run):
    """Run a command that must fail as a user's mistake does: code 2, one line on stderr, no traceback."""

    def invoke(*arguments):
        result = run(*arguments)
        assert result.exit_code == 2, result.output
        lines = result.stderr.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        return lines[0]

    return invoke


@pytest.fixture(scope="session")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(yaml.safe_dump(RECIPE))
    return path


@pytest.fixture(scope="session")
def images(tmp_path_factory):
    """A folder of two test sets, `near` and `far`, with `images/` and `masks/`."""
    root = tmp_path_factory.mktemp("sets")
    for number, name in enumerate(("near", "far")):
        discs = Discs(3, seed=number)
        for index in range(3):
            sample = discs[index]
            for kind, pixels in (
                ("images", sample["image"].permute(1, 2, 0).numpy()),
                ("masks", sample["mask"].numpy() * 255),
            ):
                (root / name / kind).mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(root / name / kind / f"{sample['id']}.png"), np.ascontiguousarray(pixels))
    return root


@pytest.fixture(scope="session")
def runs(run, recipe, tmp_path_factory):
    """The runs of a whole job, made by the commands themselves."""
    root = tmp_path_factory.mktemp("runs")
    done = [
        run("train", recipe, "--mode", "teacher", "--out", root / "teacher"),
        run("train", recipe, "--out", root / "baseline"),
        run("distill", recipe, "--teacher", root / "teacher", "--out", root / "student"),
    ]
    assert [result.exit_code for result in done] == [0, 0, 0], [result.output for result in done]
    return {path.name: path for path in sorted(root.iterdir())}
