"""`evaluate`, `predict`, `plot` and `report`."""

from __future__ import annotations

import csv
import json
import shutil

import cv2
import pytest
from PIL import Image


def test_evaluate_scores_runs_on_several_sets_in_one_call(run, runs, images, tmp_path):
    out = tmp_path / "new" / "scores.json"
    arguments = ("--data", images, "--json", out, "--device", "cpu")
    result = run("evaluate", runs["baseline"], runs["student"], *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].split() == ["run", "test", "set", "images", "Dice", "IoU", "FPS"]
    assert [line.split()[1] for line in result.stdout.splitlines()[1:5]] == [
        "far",
        "near",
        "average",
        "average",
    ]
    scores = json.loads(out.read_text())
    assert {name: list(sets) for name, sets in scores.items()} == {
        "baseline": ["far", "near", "averages"],
        "student": ["far", "near", "averages"],
    }
    near = scores["student"]["near"]
    rows = list(csv.DictReader((out.parent / "scores-student-near.csv").read_text().splitlines()))
    assert near["images"] == len(rows) == 3
    assert near["dice"] == pytest.approx(sum(float(row["dice"]) for row in rows) / 3)
    assert near["protocol"] == "dice@0.5"
    assert "passes after warming up, cpu, 1 thread." in near["notes"][-1]
    assert run("compare", f"{out}:baseline", f"{out}:student").exit_code == 0


def test_evaluate_takes_one_set_too(run, runs, images):
    result = run("evaluate", runs["student"], "--data", images / "near")
    assert result.exit_code == 0
    assert "near" in result.stdout
    assert "far" not in result.stdout


def test_evaluate_names_the_sets_that_are_not_there_and_draws_the_others(run, runs, images, tmp_path):
    sets = shutil.copytree(images / "near", tmp_path / "sets" / "Kvasir").parent
    (sets / "empty" / "images").mkdir(parents=True)
    result = run("evaluate", runs["student"], "--data", sets, "--save-visuals", tmp_path / "visuals")
    assert result.exit_code == 0, result.output
    assert (
        "note: Not scored, and in no average: CVC-300 (not there), CVC-ClinicDB (not there), CVC-ColonDB (not there), "
        "ETIS-LaribPolypDB (not there), empty (no masks/)." in result.stdout
    )
    assert "average per image" not in result.stdout
    drawn = sorted(path.relative_to(tmp_path).as_posix() for path in (tmp_path / "visuals").rglob("*.png"))
    assert drawn == [f"visuals/Kvasir/disc_0{n}.png" for n in range(3)]
    again = run("evaluate", runs["student"], "--data", sets, "--save-visuals", tmp_path / "visuals")
    assert "Kvasir holds files already. Take another --save-visuals" in again.stderr


def test_evaluate_averages_over_images_and_over_sets():
    from segdistill.cli.beside import averages
    from segdistill.scoring import Scores

    rows = {"a": [{"dice": 1.0, "iou": 1.0}] * 3, "b": [{"dice": 0.0, "iou": None}]}
    sets = {"a": {"images": 3, "dice": 1.0, "iou": 1.0}, "b": {"images": 1, "dice": 0.0, "iou": None}}
    assert averages(Scores("dice@0.5", 1, sets, rows)) == {
        "per image": {"dice": 0.75, "iou": 1.0},
        "per set": {"dice": 0.5, "iou": 1.0},
    }


def test_evaluate_averages_over_thresholds_too_and_names_the_set_of_a_note(run, runs, images, tmp_path):
    sets = shutil.copytree(images, tmp_path / "sets")
    for name in ("near", "far"):
        Image.new("L", (32, 32)).save(sets / name / "masks" / "disc_02.png")
    result = run("evaluate", runs["student"], "--data", sets, "--protocol", "pranet-py,miou")
    assert result.exit_code == 0, result.output
    pranet, miou = result.stdout.split("Scored by pranet-py")
    header, *rows = pranet.splitlines()[1:]
    assert header.split("  ")[-2:] == ["average per image", "average of the 2 sets"]
    cells = {row.split()[0]: row.split()[1:] for row in rows}
    assert cells["images"] == ["3", "3", "6", "6"]
    assert cells["mae"][2:] == ["-", "-"]
    far, near, *both = map(float, cells["meanIoU"])
    assert both == pytest.approx([(far + near) / 2] * 2, abs=1e-4), "as many images in each set"
    assert "No averages over the sets: miou gives neither Dice nor IoU as a mean over images." in miou
    of_pranet = miou.partition("Scored by miou")[0]
    assert "No averages" not in of_pranet
    assert [f"note: {name}: 1 image with nothing to find" in of_pranet for name in ("near", "far")] == [
        True
    ] * 2


@pytest.mark.parametrize("command", ["evaluate", "predict", "app"])
def test_a_device_that_is_not_there_is_one_line(refused, runs, images, tmp_path, monkeypatch, command):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("segdistill.app.serving.check_gradio", lambda: None)
    rest = {"evaluate": ("--data", images), "predict": (images / "near" / "images", "--out", tmp_path)}
    said = refused(command, runs["student"], *rest.get(command, ()), "--device", "cuda:0")
    assert said == "error: device 'cuda' is not available here. Take 'auto' or 'cpu'."
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "words"), [("nowhere", "There is no folder 'nowhere'"), (".", "holds no test set")]
)
def test_evaluate_says_what_a_test_set_is(refused, runs, data, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in refused("evaluate", runs["student"], "--data", data, "--json", "scores.json")
    assert list(tmp_path.iterdir()) == []


def test_evaluate_refuses_what_is_no_run_before_it_scores_any(refused, runs, images, tmp_path):
    line = refused("evaluate", runs["student"], tmp_path, "--data", images)
    assert "is not a run folder" in line


@pytest.mark.parametrize(("damage", "words"), [(b"garbage", "is damaged"), (None, "is missing")])
def test_a_damaged_run_is_named(refused, runs, images, tmp_path, damage, words):
    broken = shutil.copytree(runs["student"], tmp_path / "broken")
    weights = broken / "best.safetensors"
    weights.unlink()
    if damage:
        weights.write_bytes(damage)
    line = refused("evaluate", broken, "--data", images)
    assert words in line
    assert "best.safetensors" in line


def test_weights_of_another_model_are_refused(refused, runs, images, tmp_path):
    mixed = shutil.copytree(runs["student"], tmp_path / "mixed")
    shutil.copy(runs["teacher"] / "best.safetensors", mixed / "best.safetensors")
    assert "holds another model" in refused("evaluate", mixed, "--data", images)


def test_predict_writes_masks_at_the_size_of_the_images(run, runs, images, tmp_path):
    folder, out = images / "near" / "images", tmp_path / "masks"
    options = ("--overlay", "--probability", "--device", "cpu")
    result = run("predict", runs["student"], folder, "--out", out, *options)
    assert result.exit_code == 0, result.output
    assert "masks of 3 images" in result.stdout
    assert "ms per image on cpu." in result.stdout
    assert {path.name for path in (tmp_path / "masks").iterdir()} == {
        f"disc_0{n}{kind}.png" for n in range(3) for kind in ("", "_overlay", "_probability")
    }
    assert cv2.imread(str(tmp_path / "masks" / "disc_00.png"), cv2.IMREAD_GRAYSCALE).shape == (32, 32)


def test_predict_does_not_write_over_results(refused, run, runs, images, tmp_path):
    picture = images / "near" / "images" / "disc_00.png"
    assert run("predict", runs["student"], picture, "--out", tmp_path).exit_code == 0
    assert "already" in refused("predict", runs["student"], picture, "--out", tmp_path)
    assert run("predict", runs["student"], picture, "--out", tmp_path, "--overwrite").exit_code == 0


def test_predict_leaves_nothing_behind_after_a_mistake(refused, runs, tmp_path):
    line = refused("predict", runs["student"], tmp_path / "nowhere.png", "--out", tmp_path / "masks")
    assert "nowhere.png" in line
    assert not (tmp_path / "masks").exists()


def test_predict_measures_a_video(run, runs, tmp_path):
    first, *others = (Image.new("RGB", (40, 32), (value, 60, 60)) for value in (20, 120, 220))
    first.save(tmp_path / "clip.gif", save_all=True, append_images=others, duration=100)
    result = run("predict", runs["student"], tmp_path / "clip.gif", "--out", tmp_path / "out", "--overlay")
    assert result.exit_code == 0, result.output
    assert "masks of 3 frames" in result.stdout
    assert "IoU of neighbours" in result.stdout
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "clip",
        "clip.json",
        "clip_overlay.mp4",
        "clip_stability.png",
    }


def test_a_video_that_is_none_is_one_line(refused, runs, tmp_path):
    (tmp_path / "clip.mp4").write_text("hello")
    assert "it is no video" in refused("predict", runs["student"], tmp_path / "clip.mp4", "--out", tmp_path)


def test_plot_draws_and_prints_the_runs(run, runs, tmp_path):
    result = run("plot", *runs.values(), "--out", tmp_path / "comparison.png")
    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        f"comparison{kind}.{suffix}" for kind in ("", "-iou") for suffix in ("png", "pdf")
    }
    assert [line.split()[0] for line in result.stdout.splitlines()[1:4]] == list(runs)


def test_plot_refuses_a_folder_without_a_history(refused, tmp_path):
    assert "log.csv" in refused("plot", tmp_path, "--out", tmp_path / "comparison.png")
    assert list(tmp_path.iterdir()) == []


def test_report_is_one_page_with_overlays(run, runs, tmp_path):
    result = run("report", *runs.values(), "--out", tmp_path / "report.html")
    assert result.exit_code == 0, result.output
    page = (tmp_path / "report.html").read_text()
    assert all(name in page for name in runs)
    assert "data:image/" in page


def test_report_does_without_images_where_the_data_are_gone(run, runs, tmp_path):
    moved = shutil.copytree(runs["student"], tmp_path / "moved")
    config = (moved / "config.yaml").read_text()
    (moved / "config.yaml").write_text(
        "data: {folders: {root: nowhere}}\n" + config[config.index("student:") :]
    )
    result = run("report", moved, "--out", tmp_path / "report.html")
    assert result.exit_code == 0
    assert "The report shows no images: There is no folder 'nowhere'" in result.stdout
