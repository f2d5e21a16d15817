"""Complete configurations: everything checked, every default written."""

from __future__ import annotations

import pytest

from segdistill.config import complete
from segdistill.config.text import dump, parse
from segdistill.core import SegDistillError


def test_every_default_is_filled_in(recipe):
    full = complete(recipe)
    assert full["training"]["schedule"] == "cosine"
    assert full["training"]["lr_factors"] == {}
    assert full["method"] == [
        {"KD": {"temperature": 2.0, "weight": 1.0}},
        {"LogitMSE": full["method"][1]["LogitMSE"]},
    ]
    assert full["student"]["in_channels"] == 3
    assert full["data"]["synthetic"]["seed"] == 0
    assert full["teacher_training"] == {"epochs": 3}


def test_completing_again_changes_nothing(recipe):
    full = complete(recipe)
    assert complete(full) == full
    assert complete(parse(dump(full), source="test")) == full


def test_the_recipe_itself_is_not_changed(recipe):
    before = dump(recipe)
    complete(recipe)
    assert dump(recipe) == before


def test_the_loss_follows_the_task_where_none_is_named(recipe):
    del recipe["loss"]
    assert list(complete(recipe)["loss"]) == ["DiceBCE"]
    recipe["task"] = {"Multiclass": {"classes": ["background", "liver", "tumour"]}}
    assert list(complete(recipe)["loss"]) == ["DiceCE"]


def test_data_learn_the_classes_from_the_task(recipe):
    recipe["task"] = {"Multiclass": {"classes": ["background", "liver", "tumour"]}}
    recipe["data"] = {"folders": {"root": "x"}}
    assert complete(recipe)["data"]["folders"]["classes"] == ["background", "liver", "tumour"]


def test_data_of_other_classes_than_the_task_are_an_error(recipe):
    recipe["data"] = {"folders": {"root": "x", "classes": ["background", "polyp"]}}
    with pytest.raises(SegDistillError, match="Name them once, in task"):
        complete(recipe)


def test_variables_stay_in_the_file(recipe, monkeypatch):
    monkeypatch.setenv("MY_DATA", "somewhere")
    recipe["data"] = {"folders": {"root": "${MY_DATA}/x"}}
    assert complete(recipe)["data"]["folders"]["root"] == "${MY_DATA}/x"


@pytest.mark.parametrize(
    ("section", "value", "words"),
    [
        ("trainig", {}, "Unknown section 'trainig'. Did you mean 'training'"),
        ("training", {"epoch": 3}, "Unknown option of training 'epoch'. Did you mean 'epochs'"),
        ("training", 3, "training: must hold options"),
        ("training", {"lr": "fast"}, "training.lr must be a number, got 'fast'"),
        ("teacher_training", {"epoch": 3}, "Unknown option of training 'epoch'"),
        ("task", "Binari", "Unknown task 'Binari'. Did you mean 'Binary'"),
        ("data", "folder", "Unknown data source 'folder'. Did you mean 'folders'"),
        ("data", {"folders": {}}, "folders needs the option 'root'"),
        ("loss", "DiceBEC", "Unknown loss 'DiceBEC'"),
        ("method", "KDD", "Unknown method 'KDD'. Did you mean 'KD'"),
        (
            "method",
            [{"KD": {"temprature": 2}}],
            "Unknown option of KD 'temprature'. Did you mean 'temperature'",
        ),
        ("method", [], "method: is an empty list"),
        ("student", {"weights": "none"}, "student: names no network"),
        ("student", {"net": "smp.FPN", "wieghts": "none"}, "Unknown option of student 'wieghts'"),
        ("student", {"net": "smp.FPN", "in_channels": "three"}, "student.in_channels must be a whole number"),
        ("teacher", {"run": "a", "net": "smp.FPN"}, "teacher: has run: and net:"),
        ("name", ["a"], "name must be a text"),
    ],
)
def test_a_mistake_is_named_wherever_it_stands(recipe, section, value, words):
    with pytest.raises(SegDistillError, match=words):
        complete({**recipe, section: value})


def test_a_configuration_is_a_mapping():
    with pytest.raises(SegDistillError, match="must hold sections"):
        complete(["KD"])
