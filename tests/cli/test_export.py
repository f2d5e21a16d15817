"""`segdistill export`, and what takes an exported network."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest

import graphs


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return graphs.write(tmp_path_factory.mktemp("exported") / "student.onnx")


def test_predict_takes_an_exported_network(run, exported, images, tmp_path):
    result = run("predict", exported, images / "near" / "images", "--out", tmp_path / "masks")
    assert result.exit_code == 0, result.output
    assert "ms per image on cpu by ONNX Runtime." in result.stdout
    assert len(list((tmp_path / "masks").iterdir())) == 3


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("evaluate",), ("--data", "{images}")),
        (("distill", "{recipe}", "--teacher"), ("--out", "{tmp}/run")),
        (("cache",), ("--out", "{tmp}/maps")),
    ],
    ids=["evaluate", "distill", "cache"],
)
def test_what_needs_more_than_predictions_asks_for_the_run(
    refused, exported, recipe, images, tmp_path, before, after
):
    places = {"images": images, "recipe": recipe, "tmp": tmp_path}
    said = refused(*(a.format(**places) for a in before), exported, *(a.format(**places) for a in after))
    assert "'student.onnx' is an exported network, which can only predict: name the run folder" in said
    assert not any(tmp_path.iterdir())


def test_an_exported_network_does_not_run_on_a_gpu(refused, exported, images, tmp_path):
    said = refused("predict", exported, images / "near" / "images", "--out", tmp_path, "--device", "cuda")
    assert "student.onnx is an exported network, which runs on the processor, not on 'cuda'" in said


@pytest.mark.parametrize(
    ("name", "words"),
    [("there.onnx", "there.onnx exists: choose another name"), ("student", "is known by its ending: name ")],
)
def test_a_wrong_place_is_refused_at_once(refused, runs, tmp_path, name, words):
    (tmp_path / "there.onnx").write_text("here")
    said = refused("export", runs["student"], "--out", tmp_path / name)
    assert words in said


@pytest.mark.slow
def test_an_exported_run_predicts_what_the_run_predicts(run, runs, images, tmp_path):
    result = run("export", runs["student"], "--out", tmp_path / "my student.onnx")
    assert result.exit_code == 0, result.output
    wrote, use = result.stdout.splitlines()
    assert "my student.onnx, 0.0 MB; on 2 images its probabilities differ from PyTorch's by at most" in wrote
    assert re.search(r"segdistill app '\S*my student.onnx'\.", use)
    folder = images / "near" / "images"
    for source in (runs["student"], tmp_path / "my student.onnx"):
        assert run("predict", source, folder, "--out", tmp_path / source.suffix / "masks").exit_code == 0
    for name in ("disc_00.png", "disc_02.png"):
        one, two = (cv2.imread(str(tmp_path / kind / "masks" / name)) for kind in ("", ".onnx"))
        np.testing.assert_array_equal(one, two)
