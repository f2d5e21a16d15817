"""`compare`."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from segdistill.cli import pages


@pytest.fixture(scope="session")
def seeds(run, recipe, runs, tmp_path_factory):
    """Baselines and students of two seeds, as folders `baseline-0`, `student-0`, ..."""
    root = tmp_path_factory.mktemp("seeds")
    for name in ("baseline", "student"):
        for seed in (0, 10):
            copy = shutil.copytree(runs[name], root / f"{name}-{seed}")
            config = (copy / "config.yaml").read_text()
            head, training = config.split("\ntraining:\n")
            (copy / "config.yaml").write_text(
                f"{head}\ntraining:\n" + training.replace("  seed: 0", f"  seed: {seed}", 1)
            )
    return root


def test_compare_prints_a_row_per_set_and_measure_and_what_it_does_not_know(run, runs):
    result = run("compare", runs["baseline"], runs["student"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("A: baseline (")
    assert lines[1].startswith("B: student (")
    columns = "test set measure n A B B - A 95 % interval p A wins B wins excludes 0"
    assert " ".join(lines[3].split()) == columns
    assert [line.split()[:3] for line in lines[4:6]] == [
        ["synthetic", "dice", "2"],
        ["synthetic", "iou", "2"],
    ]
    assert "Scored by dice@0.5, version 1." in lines
    assert "- One training each: the variation between trainings is not in interval and p." in result.stdout


def test_compare_keeps_to_the_measures_that_are_named_and_writes_everything(run, runs, tmp_path):
    out = tmp_path / "new" / "compared.json"
    result = run("compare", runs["baseline"], runs["student"], "--measure", "dice", "--json", out)
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text())
    (dice,) = found["differences"]
    rows = found["per_image"]["synthetic"]
    gains = [row["dice"]["b"][0] - row["dice"]["a"][0] for row in rows]
    assert dice["difference"] == pytest.approx(np.mean(gains))
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


@pytest.mark.parametrize("quoted", [True, False])
def test_compare_takes_seeds_as_patterns_or_all_runs_in_a_row(run, seeds, quoted):
    patterns = [f"{seeds}/baseline-*", f"{seeds}/student-*"]
    result = run("compare", *(patterns if quoted else sorted(seeds.iterdir())))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"A: baseline ({seeds / 'baseline-0'}, {seeds / 'baseline-10'})"
    assert lines[1] == f"B: student ({seeds / 'student-0'}, {seeds / 'student-10'})"
    assert "p seeds" in lines[3]
    assert "- 2 seeds: the interval is for other seeds and other images like these." in result.stdout


def test_compare_takes_seeds_one_by_one(run, seeds):
    sides = [
        word for side in "ab" for name in (10, 0) for word in (f"--{side}", seeds / f"{NAMES[side]}-{name}")
    ]
    result = run("compare", *sides)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0] == f"A: baseline ({seeds / 'baseline-0'}, {seeds / 'baseline-10'})"


NAMES = {"a": "baseline", "b": "student"}


def test_the_sheet_is_drawn_from_the_recipes_data_or_from_a_folder_or_as_evaluate_says(
    run, refused, runs, tmp_path
):
    for sample in pages.test_sets(runs["student"])["synthetic"]:
        pixels = {
            "images": sample["image"].permute(1, 2, 0).numpy()[..., ::-1],
            "masks": sample["mask"].numpy() * 255,
        }
        for kind, array in pixels.items():
            (tmp_path / "synthetic" / kind).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(
                str(tmp_path / "synthetic" / kind / f"{sample['id']}.png"), np.ascontiguousarray(array)
            )
    pair = (runs["baseline"], runs["student"])
    first = run("compare", *pair, "--sheet", tmp_path / "recipe.png")
    second = run("compare", *pair, "--sheet", tmp_path / "folder.png", "--data", tmp_path / "synthetic")
    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    scores = tmp_path / "scores.json"
    assert run("evaluate", *pair, "--data", tmp_path / "synthetic", "--json", scores).exit_code == 0
    third = run("compare", f"{scores}:baseline", f"{scores}:student", "--sheet", tmp_path / "json.png")
    assert third.exit_code == 0, third.output
    drawn = cv2.imread(str(tmp_path / "recipe.png"))
    assert drawn.shape[1] == 4 * 256 + 5 * 8
    for name in ("folder", "json"):
        assert (drawn == cv2.imread(str(tmp_path / f"{name}.png"))).all()
    scores.write_text(scores.read_text().replace(str(runs["baseline"].parent), "elsewhere"))
    said = refused("compare", f"{scores}:baseline", f"{scores}:student", "--sheet", tmp_path / "json.png")
    assert "There is no 'elsewhere/student': the network of which" in said


def test_compare_refuses_what_is_no_pair(refused, runs, seeds, tmp_path):
    base, student = runs["baseline"], runs["student"]
    assert "needs two runs" in refused("compare", base)
    assert "Name the runs as RUN_A RUN_B, or all of them" in refused("compare", "--a", base)
    assert "Name the runs as RUN_A RUN_B, or all of them" in refused(
        "compare", student, "--a", base, "--b", student
    )
    assert "No run folder or JSON file is called like" in refused("compare", f"{tmp_path}/x-*", student)
    assert "is named twice" in refused("compare", base, base)
    assert "There is no run folder or JSON file" in refused("compare", base, tmp_path / "gone")
    assert "baseline-10 has no partner of its seed (10)" in refused(
        "compare", f"{seeds}/baseline-*", seeds / "student-0"
    )
    assert "of 3 configurations and not of two" in refused("compare", *runs.values())


def test_compare_refuses_runs_without_common_scores(refused, runs, tmp_path):
    bare = shutil.copytree(runs["student"], tmp_path / "bare")
    shutil.rmtree(bare / "scores")
    assert "bare has no scores/SET.csv" in refused("compare", runs["baseline"], bare)
    other = shutil.copytree(runs["student"], tmp_path / "other")
    metrics = json.loads((other / "metrics.json").read_text())
    metrics["tests"]["synthetic"]["protocol"] = "pranet-py"
    (other / "metrics.json").write_text(json.dumps(metrics))
    line = refused("compare", runs["baseline"], other)
    assert "but by pranet-py version 1" in line
