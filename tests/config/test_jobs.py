"""Whole jobs: what each run's configuration holds, and what stops a job before it starts."""

from __future__ import annotations

import pytest
import torch

from segdistill import config
from segdistill.core import SegDistillError
from segdistill.engine import Run


@pytest.fixture
def teacher(recipe, tmp_path):
    return config.train_recipe(recipe, out=tmp_path / "teacher", role="teacher")


def test_a_run_of_the_student_alone_knows_no_teacher(recipe):
    full = config.for_training(recipe)
    assert list(full) == ["name", "task", "data", "student", "loss", "training"]
    assert full["training"]["epochs"] == 2


def test_a_teacher_is_the_network_its_run_trains(recipe):
    full = config.for_training(recipe, "teacher")
    assert full["student"]["net"] == {"toys.TinyNet": {"width": 8}}
    assert full["training"]["epochs"] == 3
    assert full["training"]["lr"] == 0.01
    assert config.for_training(full) == full


def test_the_run_folder_of_a_teacher_reads_back_as_its_recipe(recipe, teacher):
    assert config.read(teacher.path) == config.for_training(recipe, "teacher")


def test_a_teacher_and_then_a_student(recipe, teacher, tmp_path):
    run = config.distill_recipe(recipe, teacher=teacher.path, out=tmp_path / "student")
    assert run.config["teacher"] == {"run": str(teacher.path)}
    assert "teacher_training" not in run.config
    assert "KD/logits" in run.log[0]
    again = config.distill_recipe(config.read(run.path), out=tmp_path / "again")
    assert torch.equal(*(next(r.student.parameters()) for r in (run, again)))


def test_a_finished_run_is_not_run_again(recipe, teacher):
    before = (teacher.path / "log.csv").stat().st_mtime_ns
    config.train_recipe(recipe, out=teacher.path, role="teacher", resume=True)
    assert (teacher.path / "log.csv").stat().st_mtime_ns == before


@pytest.fixture
def older(recipe, teacher):
    """A run from before there were two of the options: one below training, one below the network."""
    file = teacher.path / "config.yaml"
    lines = file.read_text().splitlines(keepends=True)
    kept = [line for line in lines if line.strip() not in ("scale_steps: one", "in_channels: 3")]
    assert len(kept) == len(lines) - 2
    file.write_text("".join(kept))
    return teacher


def test_a_run_goes_on_although_an_option_was_added_since(recipe, older):
    again = config.train_recipe(recipe, out=older.path, role="teacher", resume=True)
    assert again.log == older.log


def test_an_option_added_since_must_have_its_default(recipe, older):
    recipe["teacher"]["in_channels"] = 1
    with pytest.raises(SegDistillError, match=r"was begun with student\.in_channels=None, not 1"):
        config.train_recipe(recipe, out=older.path, role="teacher", resume=True)


def test_a_folder_that_exists_is_refused_before_anything_is_built(recipe, tmp_path, monkeypatch):
    monkeypatch.setattr("segdistill.config.jobs.build_data", lambda spec: pytest.fail("data were read"))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "notes.txt").write_text("mine")
    with pytest.raises(SegDistillError, match=r"exists\. Take another --out, go on with --resume"):
        config.train_recipe(recipe, out=tmp_path / "run")


@pytest.mark.parametrize("weights", ["imagenet", "none", "noisy-student"])
def test_an_untrained_teacher_is_refused_with_the_command_that_trains_it(recipe, weights):
    recipe["teacher"]["weights"] = weights
    with pytest.raises(SegDistillError, match="segdistill train RECIPE --mode teacher"):
        config.for_distillation(recipe)


def test_a_teacher_from_a_file_of_weights_is_accepted(recipe):
    recipe["teacher"]["weights"] = "somewhere/teacher.safetensors"
    assert config.for_distillation(recipe)["teacher"]["weights"] == "somewhere/teacher.safetensors"


@pytest.mark.parametrize("section", ["data", "student", "method"])
def test_a_section_that_is_missing_is_named(recipe, section):
    del recipe[section]
    with pytest.raises(SegDistillError, match=f"no {section}: section"):
        config.for_distillation(recipe, teacher="runs/teacher")


def test_a_teacher_of_other_classes_is_refused(recipe, teacher, tmp_path):
    recipe["task"] = {"Multiclass": {"classes": ["background", "a", "b"]}}
    recipe["data"] = {"folders": {"root": "x"}}
    with pytest.raises(SegDistillError, match="was trained for Binary.* but the recipe says Multiclass"):
        config.distill_recipe({**recipe, "loss": "DiceCE"}, teacher=teacher.path, out=tmp_path / "student")
    assert not (tmp_path / "student").exists()


def test_names_of_two_classes_do_not_matter(recipe, teacher, tmp_path):
    recipe["task"] = {"Binary": {"classes": ["background", "polyp"]}}
    run = config.distill_recipe(recipe, teacher=teacher.path, out=tmp_path / "student")
    assert Run.load(run.path).task.classes == ("background", "polyp")


def test_a_method_that_needs_no_teacher_trains_without_one(recipe, tmp_path):
    run = config.distill_recipe({**recipe, "method": "LabelSmoothing"}, out=tmp_path / "run")
    assert "LabelSmoothing/logits" in run.log[0]
    assert not {"teacher", "teacher_training", "cache"} & run.config.keys()
    assert config.distill_recipe(config.read(run.path), out=run.path, resume=True).is_finished


def test_beside_one_that_needs_a_teacher_it_does_not(recipe):
    with pytest.raises(SegDistillError, match="The teacher is not trained yet"):
        config.for_distillation({**recipe, "method": ["LabelSmoothing", "KD"]})


def test_a_teacher_that_is_named_stays(recipe, teacher, tmp_path):
    full = config.for_distillation({**recipe, "method": "LabelSmoothing"}, teacher=teacher.path)
    assert full["teacher"] == {"run": str(teacher.path)}


def test_the_baseline_knows_no_method_of_any_kind(recipe, tmp_path):
    run = config.train_recipe({**recipe, "method": "LabelSmoothing"}, out=tmp_path / "run")
    assert "method" not in run.config
    assert "LabelSmoothing/logits" not in run.log[0]
