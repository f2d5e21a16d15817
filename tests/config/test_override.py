"""`-o key=value`."""

from __future__ import annotations

import pytest

from segdistill.config import complete, override
from segdistill.core import SegDistillError


def test_a_number_in_scientific_notation_is_a_number(recipe):
    assert override(recipe, ["training.lr=3e-4"])["training"]["lr"] == 0.0003


def test_the_recipe_itself_is_not_changed(recipe):
    override(recipe, ["training.lr=3e-4", "method.KD.temperature=9"])
    assert recipe["training"]["lr"] == 0.01
    assert recipe["method"][0] == {"KD": {"temperature": 2}}


@pytest.mark.parametrize(
    ("assignment", "found"),
    [
        ("training.schedule=poly", lambda c: c["training"]["schedule"] == "poly"),
        ("training.clip_norm=null", lambda c: c["training"]["clip_norm"] is None),
        ("training.lr_factors.encoder=0.1", lambda c: c["training"]["lr_factors"] == {"encoder": 0.1}),
        ("teacher_training.lr=0.1", lambda c: c["teacher_training"] == {"epochs": 3, "lr": 0.1}),
        ("method.KD.temperature=4", lambda c: c["method"][0]["KD"]["temperature"] == 4),
        ("method.KD.weight=4", lambda c: c["method"][0]["KD"] == {"temperature": 2, "weight": 4}),
        ("method.1.LogitMSE.weight=4", lambda c: c["method"][1] == {"LogitMSE": {"weight": 4}}),
        ("method=[KD, AT]", lambda c: c["method"] == ["KD", "AT"]),
        ("loss.DiceBCE.smooth=2", lambda c: c["loss"] == {"DiceBCE": {"smooth": 2}}),
        ("loss=FocalDice", lambda c: c["loss"] == "FocalDice"),
        ("student.weights=none", lambda c: c["student"]["weights"] == "none"),
        ("student.size=[64, 64]", lambda c: c["student"]["size"] == [64, 64]),
        ("student.net.toys.TinyNet.width=2", lambda c: c["student"]["net"] == {"toys.TinyNet": {"width": 2}}),
        ("teacher={run: runs/a}", lambda c: c["teacher"] == {"run": "runs/a"}),
        ("data.synthetic.seed=7", lambda c: c["data"]["synthetic"]["seed"] == 7),
        ("name=other", lambda c: c["name"] == "other"),
    ],
)
def test_any_value_can_be_set_also_one_that_the_recipe_leaves_to_its_default(recipe, assignment, found):
    changed = override(recipe, [assignment])
    assert found(changed)
    complete(changed)


def test_a_recipe_without_training_can_be_given_some(recipe):
    del recipe["training"]
    assert override(recipe, ["training.epochs=1"])["training"] == {"epochs": 1}


def test_a_variable_that_is_replaced_need_not_be_set(recipe, monkeypatch):
    monkeypatch.delenv("SEGDISTILL_DATA", raising=False)
    recipe["data"] = {"polyp": {"root": "${SEGDISTILL_DATA}/polyp", "cache": "${SEGDISTILL_DATA}/cache"}}
    changed = override(recipe, ["data.polyp.root=mine"])
    assert changed["data"]["polyp"]["root"] == "mine"
    with pytest.raises(SegDistillError, match="SEGDISTILL_DATA}, which is not set"):
        complete(changed)
    assert complete(override(changed, ["data.polyp.cache=null"]))["data"]["polyp"]["root"] == "mine"


def test_overrides_apply_in_turn(recipe):
    changed = override(recipe, ["data={folders: {root: a}}", "data.folders.val_fraction=0.2"])
    assert changed["data"] == {"folders": {"root": "a", "val_fraction": 0.2}}


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("training.lr", "written path=value"),
        ("=3", "written path=value"),
        ("trainig.lr=1", "Unknown section 'trainig'. Did you mean 'training'"),
        ("training.epoch=1", "Unknown option of training 'epoch'. Did you mean 'epochs'"),
        ("method.KDD.weight=1", "Unknown part of method 'KDD'. Did you mean 'KD'"),
        ("method.KD.wieght=1", "Unknown option of method.KD 'wieght'. Did you mean 'weight'"),
        ("method.7.KD.weight=1", "Unknown part of method '7'"),
        ("student.wieghts=none", "Unknown option of student 'wieghts'"),
        ("student.net.smp.FPN.x=1", "Unknown option of student.net 'smp'. Known: toys.TinyNet"),
        ("training.lr.x=1", "training.lr holds 0.01, which has no parts"),
        ("name.x=1", "nothing inside name: to set"),
        ("training.lr=[1", "the value of training.lr, line 1 is not YAML"),
    ],
)
def test_a_path_that_leads_nowhere_says_so(recipe, assignment, words):
    with pytest.raises(SegDistillError, match=words):
        override(recipe, [assignment])


def test_a_section_that_is_not_there_must_be_given_as_a_whole(recipe):
    del recipe["method"]
    with pytest.raises(SegDistillError, match="Give it as a whole: -o method="):
        override(recipe, ["method.KD.weight=1"])
