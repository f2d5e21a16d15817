"""`evaluate --save`: files that score as the network did."""

from __future__ import annotations

import json
import shlex

import pytest


@pytest.mark.parametrize("layout", ["pranet", "kdas"])
def test_saved_maps_score_as_the_network_did(run, runs, images, tmp_path, layout):
    shared = ("--protocol", "pranet-py", "--json")
    result = run(
        *("evaluate", runs["student"], "--data", images, *shared, tmp_path / "net.json"),
        *("--save", tmp_path / "my maps", "--layout", layout),
    )
    assert result.exit_code == 0, result.output
    told = result.stdout.splitlines()[-1]
    words = shlex.split(told.partition("segdistill ")[2])
    assert run(*words, "--json", tmp_path / "files.json").exit_code == 0
    of_net = json.loads((tmp_path / "net.json").read_text())["student"]
    of_files = json.loads((tmp_path / "files.json").read_text())["sets"]
    assert of_files.keys() == {"near", "far"}
    for name, means in of_files.items():
        assert {key: of_net[name][key] for key in means} == means


def test_several_runs_get_a_folder_each(run, runs, images, tmp_path):
    arguments = ("--data", images / "near", "--save", tmp_path, "--layout", "uacanet")
    assert run("evaluate", runs["student"], runs["teacher"], *arguments).exit_code == 0
    assert {path.name for path in (tmp_path / "snapshots").iterdir()} == {"student", "teacher"}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--layout", "kdas"), "--layout says how maps are written, but none are"),
        (("--stretch",), "--stretch says how maps are written, but none are"),
        (("--save", "x", "--layout", "kdass"), "Unknown layout 'kdass'. Did you mean 'kdas'?"),
    ],
)
def test_flags_that_say_nothing_are_refused(refused, runs, images, flags, words):
    assert words in refused("evaluate", runs["student"], "--data", images, *flags)
