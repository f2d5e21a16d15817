"""`cache`, and `distill --cache`."""

from __future__ import annotations

import pytest

from segdistill.cli.jobs import at
from segdistill.engine import Run


def test_a_teacher_is_cached_and_found_again(run, runs, tmp_path):
    command = ("cache", runs["teacher"], "--taps", "body", "--out", tmp_path / "maps")
    first, second = run(*command), run(*command)
    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    assert "holds logits, body of 8 images" in first.stdout
    assert "asking the teacher: 8 of 8" in first.stdout
    assert "asking the teacher" not in second.stdout


def test_other_data_can_be_named(run, runs, recipe, images, tmp_path):
    assert "of 8 images" in run("cache", runs["teacher"], "--data", recipe, "--out", tmp_path / "a").stdout
    done = run(
        "cache", runs["teacher"], "--data", images / "near", "--views", 2, "--out", tmp_path / "b",
        "-o", "data.folders.val_fraction=0.4",
    )  # fmt: skip
    assert "holds logits of 2 images" in done.stdout


def test_a_folder_of_images_and_masks_is_read_as_one_whatever_the_teacher_was_trained_on(tmp_path):
    polyp = {"polyp": {"root": "elsewhere", "size": [64, 64]}}
    assert at(tmp_path, polyp) == {"polyp": {"root": str(tmp_path), "size": [64, 64]}}
    (tmp_path / "images").mkdir()
    assert at(tmp_path, polyp) == {"folders": {"root": str(tmp_path)}}


def test_distill_makes_a_cache_and_uses_it_again(run, recipe, runs, tmp_path):
    results = [
        run("distill", recipe, "--teacher", runs["teacher"], "--cache", "--out", tmp_path / name, *more)
        for name, more in (("a", ()), ("b", ("-o", "training.seed=1")))
    ]
    assert [result.exit_code for result in results] == [0, 0], results[0].output
    assert ["asking the teacher" in result.stdout for result in results] == [True, False]
    (cache,) = (tmp_path / "teacher-cache").iterdir()
    finished = Run.load(tmp_path / "b")
    assert finished.config["cache"] == {"folder": None, "views": 0, "stride": 1}
    assert finished.env["teacher"]["cached"] == cache.name
    assert run("distill", "--resume", "--out", tmp_path / "b").exit_code == 0


def test_the_recipe_says_where_and_how(run, recipe, runs, tmp_path):
    done = run(
        "distill", recipe, "--teacher", runs["teacher"], "--out", tmp_path / "a",
        "-o", "cache.views=2", "-o", f"cache.folder={tmp_path / 'maps'}",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "asking the teacher: 16 of 16" in done.stdout
    assert len(list((tmp_path / "maps").iterdir())) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cache", "nowhere", "--out", "out"], "There is no folder nowhere"),
        (["cache", "TEACHER", "--taps", "bodi", "--out", "out"], "Unknown tap 'bodi'. Did you mean"),
        (["cache", "TEACHER", "--data", "nowhere/x", "--out", "out"], "There is no recipe 'nowhere/x'"),
        (["cache", "TEACHER", "--out", "TEACHER"], "is no teacher cache"),
        (
            ["distill", "RECIPE", "--teacher", "TEACHER", "--out", "out", "-o", "cache.vews=2"],
            "Unknown option of cache 'vews'. Did you mean 'views'",
        ),
    ],
)
def test_a_mistake_is_a_sentence(refused, recipe, runs, arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stands_for = {"RECIPE": recipe, "TEACHER": runs["teacher"]}
    assert words in refused(*(stands_for.get(a, a) for a in arguments))
    assert not (tmp_path / "out").exists()
