from __future__ import annotations

import json

import pytest

from segdistill.core import SegDistillError
from segdistill.report import collect


def test_a_run_is_read_with_all_its_files(runs):
    found = collect(runs)[2]
    assert (found.label, found.role) == ("Distilled", "distilled")
    assert found.parameters == 4_650_000
    assert found.gmac == 1.94
    assert found.size == (found.path / "student.safetensors").stat().st_size
    assert found.command == "segdistill train polyp-lite --out distilled"
    assert set(found.scores) == {"CVC", "Kvasir"}
    assert len(found.scores["Kvasir"]["dice"]) == 40
    assert found.score("Kvasir", "dice") == found.metrics["tests"]["Kvasir"]["dice"]


def test_every_optional_file_may_be_missing(runs):
    path = runs["Distilled"]
    for name in ("log.csv", "env.json", "model.json", "config.yaml", "student.safetensors"):
        (path / name).unlink()
    for file in (path / "scores").iterdir():
        file.unlink()
    found = collect([path])[0]
    assert found.history is None
    assert found.parameters is found.gmac is found.size is None
    assert found.scores == {}
    assert found.command == ""


def test_a_run_that_is_under_way_has_a_log_only(runs):
    path = runs["Baseline"]
    (path / "metrics.json").unlink()
    found = collect([path])[0]
    assert found.metrics == {}
    assert found.score("Kvasir", "dice") != found.score("Kvasir", "dice")


def test_parameters_are_counted_from_the_weights_where_nobody_says(runs):
    path = runs["Baseline"]
    (path / "model.json").write_text("{}")
    assert collect([path])[0].parameters == 40 * 300


def test_a_command_may_be_a_list(runs):
    path = runs["Baseline"]
    (path / "env.json").write_text(json.dumps({"command": ["segdistill", "train", "my recipe"]}))
    assert collect([path])[0].command == "segdistill train 'my recipe'"


def test_repeats_share_a_label_and_roles_may_be_given(runs):
    found = collect(
        {"A": [runs["Baseline"], runs["Distilled"]], "B": runs["Teacher"]}, roles={"A": "baseline"}
    )
    assert [(s.label, s.role) for s in found] == [("A", "baseline"), ("A", "baseline"), ("B", "")]


def test_a_missing_run_is_named(tmp_path):
    with pytest.raises(SegDistillError, match="no run folder .*gone"):
        collect([tmp_path / "gone"])


def test_another_folder_is_no_run(tmp_path):
    with pytest.raises(SegDistillError, match=r"neither log\.csv nor metrics\.json"):
        collect([tmp_path])


def test_a_wrong_role_names_the_right_one(runs):
    with pytest.raises(SegDistillError, match="Did you mean 'baseline'"):
        collect(runs, roles={"Baseline": "base-line"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("metrics.json", "{", r"metrics\.json is damaged"),
        ("env.json", "[1]", r"env\.json is damaged: it holds no names, but a list"),
        (
            "scores/Kvasir.csv",
            "id,dice\na,good\n",
            r"Kvasir\.csv is damaged: its columns must be id and scores",
        ),
        ("scores/Kvasir.csv", "image,dice\na,0.5\n", r"Kvasir\.csv is damaged"),
        ("config.yaml", b"\xff\xfe\x00", r"Cannot read .*config\.yaml"),
        ("student.safetensors", b"\x00\x00", r"student\.safetensors is damaged"),
    ],
)
def test_a_damaged_file_is_named(runs, name, content, message):
    path = runs["Baseline"]
    (path / "model.json").write_text("{}")
    (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SegDistillError, match=message):
        collect([path])
