"""Histories of the MobileNetV2 polyp project."""

from __future__ import annotations

import json
import math

import pytest

from segdistill.core import SegDistillError
from segdistill.report import history, plot

LISTS = {"epochs": [1, 2], "train_loss": [0.9, 0.5], "val_dice": [0.6, 0.8], "val_iou": [0.5, None]}


@pytest.fixture
def folder(tmp_path):
    for name, more in (
        ("v1_TEACHER", {}),
        ("v1_BASELINE", {}),
        ("Best_kd", {"train_loss_sup": [0.5, 0.3], "train_loss_kd": [0.4, 0.2]}),
    ):
        (tmp_path / f"{name}_history.json").write_text(json.dumps({"model_name": name, **LISTS, **more}))
    return tmp_path


def test_a_folder_of_checkpoints_stands_for_its_histories(folder):
    found = history.read_all([folder])
    assert [each.label for each in found] == ["Best_kd", "v1_BASELINE", "v1_TEACHER"]
    assert found[0].epochs == (1, 2)
    assert found[0].columns["KD"] == (0.4, 0.2)
    assert math.isnan(found[1].columns["val_iou"][1])
    assert found[1].best("val_dice") == history.Best(0.8, 2)


def test_they_are_drawn_in_the_colours_of_the_project_beside_our_runs(folder, write_run, tmp_path):
    found = history.read_all([folder, write_run(tmp_path / "mine")])
    left, right = plot.figure(found).axes
    assert [line.get_color() for line in left.lines[:3]] == ["#0072B2", "#D55E00", "#009E73"]
    assert [axes.get_title("left") for axes in (left, right)] == [
        "(a) Training loss",
        "(b) Validation Dice (%)",
    ]


def test_a_run_called_as_a_history_is_not_lost(folder, write_run):
    found = history.read_all([write_run(folder / "Best_kd"), folder / "Best_kd_history.json"])
    assert [each.label for each in found] == ["Best_kd", "Best_kd_history.json"]


def test_iou_has_a_figure_of_its_own(folder):
    (only,) = plot.figure(history.read_all([folder]), panels=["val_iou"]).axes
    assert only.get_title("left") == "Validation IoU (%)"
    assert only.lines[0].get_ydata().tolist() == [50]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "Cannot read"),
        ("[1]", "is no history: it holds no names, but a list"),
        ('{"epochs": [1]}', "has no list 'train_loss'"),
        (json.dumps({**LISTS, "val_dice": [0.1]}), "differ in length"),
        (json.dumps({**LISTS, "val_dice": [0.1, "high"]}), "'high' where a number should be"),
    ],
)
def test_a_file_that_is_no_history_is_named(tmp_path, text, words):
    (tmp_path / "a_history.json").write_text(text)
    with pytest.raises(SegDistillError, match=words):
        history.read(tmp_path / "a_history.json")
