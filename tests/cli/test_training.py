"""`train` and `distill`."""

from __future__ import annotations

import pytest
import torch

from segdistill.engine import Run


def test_a_whole_job_from_three_commands(runs):
    assert list(runs) == ["baseline", "student", "teacher"]
    assert Run.load(runs["student"]).config["teacher"] == {"run": str(runs["teacher"])}
    assert Run.load(runs["teacher"]).config["student"]["net"] == {"toys.TinyNet": {"width": 8}}


def test_the_end_of_a_run_says_where_it_lies_and_how_good_it_is(run, recipe, tmp_path):
    result = run("train", recipe, "--out", tmp_path / "a", "-o", "training.epochs=1")
    assert f"{tmp_path / 'a'} is done" in result.stdout
    assert "validation, best" in result.stdout
    assert len(Run.load(tmp_path / "a").log) == 1


def test_a_finished_run_goes_on_to_its_end_without_a_recipe(run, runs):
    result = run("train", "--resume", "--out", runs["baseline"])
    assert result.exit_code == 0
    assert "is done" in result.stdout


def test_flags_alone_make_a_distillation(run, runs, images, tmp_path):
    result = run(
        "distill", "--teacher", runs["teacher"], "--data", images / "near", "--out", tmp_path / "a",
        "--student", "{toys.TinyNet: {width: 2}}", "--method", "KD,LogitMSE",
        "-o", "student.weights=none", "-o", "training={epochs: 1, batch_size: 2, workers: 0, precision: '32'}",
        "-o", "data.folders.val_fraction=0.4",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    config = Run.load(tmp_path / "a").config
    assert [list(part) for part in config["method"]] == [["KD"], ["LogitMSE"]]
    assert config["student"]["net"] == {"toys.TinyNet": {"width": 2}}
    assert config["data"]["folders"]["root"] == str(images / "near")


def test_the_three_modes_of_train_are_baseline_teacher_and_distillation(run, recipe, runs, tmp_path):
    result = run(
        "train", recipe, "--mode", "distillation", "--teacher", runs["teacher"], "--out", tmp_path / "a",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert Run.load(tmp_path / "a").config == Run.load(runs["student"]).config
    assert (tmp_path / "a" / "best.safetensors").read_bytes() == (
        runs["student"] / "best.safetensors"
    ).read_bytes()


def test_devices_reach_the_schedule(run, recipe, tmp_path, monkeypatch):
    from segdistill import config

    seen = {}
    monkeypatch.setattr(config, "train_recipe", lambda c, **_: seen.update(c) or exit(0))
    run("train", recipe, "--out", tmp_path / "a", "--devices", 3)
    assert seen["training"]["devices"] == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "dmo"], "Unknown recipe 'dmo'. Did you mean 'demo'"),
        (["train"], "Name a recipe"),
        (["train", "--resume"], "no run to resume"),
        (["train", "RECIPE", "-o", "training.epoch=1"], "Did you mean 'epochs'"),
        (["train", "RECIPE", "-o", "training.lr=fast"], "training.lr must be a number, got 'fast'"),
        (["train", "RECIPE", "-o", "training.devices=3"], "does not divide into 3 devices"),
        (["train", "RECIPE", "-o", "student.net=smp.FNP"], "Did you mean"),
        (["train", "RECIPE", "-o", "data={folders: {root: nowhere}}"], "no folder 'nowhere'"),
        (["train", "polyp-lite"], "set SEGDISTILL_DATA to the folder that holds polyp/"),
        (["distill", "RECIPE"], "The teacher is not trained yet: run `segdistill train RECIPE --mode"),
        (["train", "RECIPE", "--mode", "distillation"], "The teacher is not trained yet"),
        (["train", "RECIPE", "--teacher", "TEACHER"], "--teacher is for --mode distillation, not baseline"),
        (["distill", "RECIPE", "--teacher", "nowhere.pth"], "no file of weights at 'nowhere.pth'"),
        (
            ["distill", "RECIPE", "--teacher", "nowhere"],
            "There is no folder nowhere. Name the one that --out gave, or a checkpoint",
        ),
        (
            ["distill", "RECIPE", "--teacher", "TEACHER", "--method", "KDD"],
            "Unknown method 'KDD'. Did you mean",
        ),
        (["distill", "RECIPE", "--teacher", "TEACHER", "-o", "method={AT: {taps: e9}}"], "Unknown tap 'e9'"),
        (["distill", "--teacher", "TEACHER"], "Name a recipe"),
        (["distill", "--teacher", "TEACHER", "--data", "nowhere"], "no folder 'nowhere'"),
        (["distill", "--data", "nowhere", "--teacher", "nothing"], "There is no folder nothing"),
    ],
)
def test_a_mistake_leaves_nothing_behind(refused, recipe, runs, arguments, words, tmp_path, monkeypatch):
    monkeypatch.delenv("SEGDISTILL_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    stands_for = {"RECIPE": recipe, "TEACHER": runs["teacher"]}
    line = refused(*(stands_for.get(a, a) for a in arguments), "--out", "out")
    assert words in line
    assert list(tmp_path.iterdir()) == []


def test_a_run_folder_that_exists_is_not_touched(refused, recipe, runs):
    before = {path: path.stat().st_mtime_ns for path in runs["baseline"].rglob("*")}
    assert "Take another --out, go on with --resume" in refused("train", recipe, "--out", runs["baseline"])
    assert {path: path.stat().st_mtime_ns for path in runs["baseline"].rglob("*")} == before


def test_resuming_with_other_options_is_refused(refused, recipe, runs):
    line = refused("train", recipe, "--out", runs["baseline"], "--resume", "-o", "training.lr=0.5")
    assert "was begun with training.lr=" in line


def test_what_a_published_checkpoint_is_taken_for_is_said_where_it_teaches(capsys, tmp_path):
    from segdistill.cli.jobs import tell_checkpoints
    from segdistill.models import load

    net = load({"PolypPVT": {"backbone": "pvt_v2_b0"}}, classes=1, weights="none").net
    torch.save(net.state_dict(), tmp_path / "kdas.pth")
    told = "kdas.pth is taken for PolypPVT(pvt_v2_b0) at 352x352 with ImageNet's mean and deviation."
    tell_checkpoints({"teacher": {"run": "runs/other"}}, tmp_path / "kdas.pth")
    tell_checkpoints({"student": {"run": str(tmp_path / "kdas.pth")}})
    assert [line.endswith(told) for line in capsys.readouterr().out.splitlines()] == [True, True]


def test_a_run_whose_recipe_is_empty_is_damaged(refused, tmp_path):
    (tmp_path / "config.yaml").write_text("{}")
    assert "config.yaml is damaged: it is empty" in refused("train", "--resume", "--out", tmp_path)
