"""A finished run of an older recipe, or from an older teacher, is found out."""

import json

import pytest

from benchmarks import current
from segdistill import config
from segdistill.engine import Run


@pytest.fixture
def wanted():
    return config.for_training(config.read("demo"))


@pytest.fixture
def run(tmp_path, wanted):
    config.write(wanted, tmp_path / "config.yaml")
    (tmp_path / "env.json").write_text(json.dumps({"teacher": {"fingerprint": "ab12"}}))
    return Run(tmp_path)


def test_a_run_is_what_its_command_trains(run, wanted, monkeypatch):
    monkeypatch.setattr(current, "fingerprint", lambda teacher: "ab12")
    assert current.fault(run, wanted, run.path / "teacher") is None
    assert current.fault(run, {**wanted, "about": "Said in other words."}) is None


def test_another_section_is_named(run, wanted):
    later = config.override(wanted, ["training.epochs=99"])
    assert current.fault(run, later) == "trained with another training: section than its command says now"


def test_a_teacher_that_was_trained_again_is_noticed(run, wanted, monkeypatch):
    monkeypatch.setattr(current, "fingerprint", lambda teacher: "cd34")
    said = "distilled from a teacher that has been trained again since"
    assert current.fault(run, wanted, run.path / "teacher") == said
