"""`segdistill app`: which networks it offers, and what it says where there is none."""

from __future__ import annotations

import pytest

import graphs
from segdistill.app import serving


@pytest.fixture
def served(monkeypatch):
    """What would be served, where no gradio need be installed."""
    calls = []
    monkeypatch.setattr(serving, "check_gradio", lambda: None)
    monkeypatch.setattr(
        serving, "serve", lambda models, address, **options: calls.append((models, address, options))
    )
    return calls


def test_without_a_network_the_demo_is_offered(refused, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "make runs/demo/distilled with `segdistill demo`" in refused("app")


def test_the_networks_of_the_demo_are_found(run, runs, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs/demo").mkdir(parents=True)
    (tmp_path / "runs/demo/distilled").symlink_to(runs["student"])
    (tmp_path / "runs/demo/teacher").symlink_to(runs["teacher"])
    assert run("app", "--port", 8000).exit_code == 0
    ((models, address, options),) = served
    assert [model.name for model in models] == ["distilled", "teacher"]
    assert address == serving.Address("127.0.0.1", 8000, share=False)
    assert options["drawn"] == (32, 32), "the size of the frames it was trained on"


def test_a_line_about_a_network_names_size_scores_and_protocol(run, runs, served):
    run("app", runs["student"], "--device", "cpu")
    about = served[0][0][0].about
    *what, scores = about.split(" \u00b7 ")
    assert what == ["toys.TinyNet", "0.00 M parameters", "any size", "on cpu"]
    assert scores.startswith("Dice (dice@0.5): synthetic 0.")


def test_an_exported_network_stands_beside_a_run(run, runs, served, tmp_path):
    assert run("app", graphs.write(tmp_path / "student.onnx"), runs["student"]).exit_code == 0
    exported, trained = served[0][0]
    assert [exported.name, trained.name] == ["student.onnx", "student"]
    assert (
        exported.about
        == "Conv2d \u00b7 0.00 M parameters \u00b7 16 x 16 pixels \u00b7 on cpu by ONNX Runtime"
    )


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_no_run_or_is_named_twice_is_refused(refused, served, runs, tmp_path, count):
    path = tmp_path if count == 1 else runs["student"]
    said = refused("app", *[path] * count)
    assert ("is not a run folder" if count == 1 else "is named twice") in said


def test_without_gradio_the_command_says_how_to_have_it(refused, monkeypatch):
    monkeypatch.setattr(serving, "find_spec", lambda name: None)
    assert "pip install 'segdistill[app]'" in refused("app")
