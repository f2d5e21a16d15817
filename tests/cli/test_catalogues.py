"""`methods`, `models`, `recipes` and `doctor`."""

from __future__ import annotations

import yaml

from segdistill import config
from segdistill.cli.commands import doctor
from segdistill.methods import Method
from segdistill.methods.presets import PRESETS
from segdistill.models import catalogue


def test_methods_lists_every_method_with_its_paper(run):
    text = run("methods").stdout
    for name, cls in Method.catalogue.items():
        assert name in text
        assert cls.paper in text


def test_a_method_is_explained_as_a_recipe_has_it(run):
    text = run("methods", "KD").stdout
    assert "temperature: " in text
    assert "- KD: {temperature: 1.0, weight: 1.0}" in text


def test_a_wrong_method_names_the_right_one(refused):
    assert "Did you mean 'KD'" in refused("methods", "KDD")


def test_models_lists_every_model(run):
    text = run("models").stdout
    assert all(row.name in text and row.example in text for row in catalogue())


def test_a_model_shows_its_cost_and_taps(run):
    text = run("models", "{smp.Unet: {encoder_name: resnet18}}").stdout
    assert "14.33 M parameters" in text
    assert "e4" in text


def test_a_wrong_model_names_the_right_one(refused):
    assert "FPN" in refused("models", "smp.FNP")


def test_recipes_lists_every_recipe(run):
    text = run("recipes").stdout
    assert all(name in text for name in config.names())


def test_a_recipe_is_printed_as_it_is_so_that_it_can_be_saved(run):
    assert run("recipes", "folder").stdout == config.source("folder")


def test_a_wrong_recipe_names_the_right_one(refused):
    assert "Did you mean 'folder'" in refused("recipes", "foldr")


def test_doctor_looks_at_everything_and_says_what_to_do(run, monkeypatch):
    monkeypatch.delenv("SEGDISTILL_DATA", raising=False)
    monkeypatch.setattr("segdistill.models.hub.answers", lambda *_, **__: False)
    monkeypatch.setattr(doctor, "step_seconds", lambda _, dtype: 2.0 if "float32" in str(dtype) else 1.0)
    text = run("doctor").stdout
    assert "bf16 step" in text
    assert "2.0 times as fast" in text
    assert "training.precision=bf16" in text
    assert "the folder that holds polyp/" in text
    assert "does not answer" in text
    assert "tf_efficientnet_lite0" in text


def test_doctor_measures_a_step_within_its_budget():
    import torch

    assert 0 < doctor.step_seconds(torch.device("cpu"), torch.float32, budget=0.01) < 5


def test_doctor_finds_the_data(run, monkeypatch, tmp_path):
    monkeypatch.setenv("SEGDISTILL_DATA", str(tmp_path))
    assert doctor.data()[1].endswith("holds no polyp/")
    (tmp_path / "polyp").mkdir()
    assert doctor.data() == ("SEGDISTILL_DATA", str(tmp_path), "")


def test_every_list_is_yaml_where_it_claims_to_be():
    for row in catalogue():
        assert yaml.safe_load(row.example)


def test_methods_lists_them_by_what_they_compare_and_the_presets(run):
    text = run("methods").stdout
    places = [text.index(title) for title in ("Logits\n", "Features\n", "Relations\n", "Presets\n")]
    assert places == sorted(places)
    assert places[1] < text.index("FitNet") < places[2]
    assert all(name in text[places[3] :] for name in PRESETS)


def test_a_method_says_where_it_works_and_which_presets_use_it(run):
    text = run("methods", "CIRKDMemory").stdout
    assert "It reads the labels." in text
    assert "Presets that use it: cirkd" in text


def test_a_preset_is_explained(run):
    text = run("methods", "skd").stdout
    assert (
        "as_released: `KD(weight=80)` on logits; `PairWisePublished(scale=0.5)` on high; `Holistic(" in text
    )
    assert PRESETS["skd"].differences[:40] in text
    assert "- skd: {variant: paper}" in text
