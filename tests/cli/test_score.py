"""`score`, and `evaluate` by protocols: the same scores from files and from networks."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from segdistill.metrics import PROTOCOLS

MAPS = [name for name, protocol in PROTOCOLS.items() if protocol.reads == "map"]
AT_THE_SIZE_OF_THE_IMAGE = [name for name in MAPS if PROTOCOLS[name].size_for((3, 4)) == (3, 4)]


@pytest.fixture
def predicted(run, runs, images, tmp_path):
    """Predictions of a run for both sets, with probabilities and overlays beside the masks."""
    out = tmp_path / "pred"
    for name in ("near", "far"):
        arguments = (images / name / "images", "--out", out / name, "--probability", "--overlay")
        assert run("predict", runs["student"], *arguments).exit_code == 0
    return out


@pytest.mark.parametrize("protocol", ["dice@0.5", *AT_THE_SIZE_OF_THE_IMAGE])
def test_files_score_like_the_network_that_wrote_them(run, runs, images, predicted, tmp_path, protocol):
    common = ("--protocol", protocol, "--json")
    assert run("evaluate", runs["student"], "--data", images, *common, tmp_path / "net.json").exit_code == 0
    result = run("score", "--pred", predicted, "--gt", images, *common, tmp_path / "files.json")
    assert result.exit_code == 0, result.output
    of_net = json.loads((tmp_path / "net.json").read_text())["student"]
    of_files = json.loads((tmp_path / "files.json").read_text())
    stamp = {"protocol": of_files["protocol"], "version": of_files["version"], "notes": of_files["notes"]}
    of_net.pop("averages", None)
    for name, scores in of_net.items():
        assert (scores.pop("run"), scores.pop("data")) == (str(runs["student"]), str(images / name))
        # Files cannot tell how fast they were made, and are not averaged over sets.
        assert scores.pop("fps") > 0
        scores["notes"] = [n for n in scores["notes"] if not n.startswith(("FPS of student", "No averages"))]
    assert of_net == {name: {**means, **stamp} for name, means in of_files["sets"].items()}
    for name in ("near", "far"):
        files = (tmp_path / f"{stem}-{name}.csv" for stem in ("net-student", "files"))
        first, second = (list(csv.DictReader(path.read_text().splitlines())) for path in files)
        assert first == second
        assert first[0]["protocol"] == protocol


def test_the_table_names_protocol_and_version(run, images, predicted):
    result = run("score", "--pred", predicted, "--gt", images, "--protocol", "dice@0.5")
    lines = result.stdout.splitlines()
    assert ["dice@0.5", "far", "near"] in [line.split() for line in lines]
    assert [line.split() for line in lines if line.startswith("images")] == [["images", "3", "3"]]
    assert "Scored by dice@0.5, version 1." in lines


@pytest.mark.skipif(not MAPS, reason="no protocol reads maps")
def test_several_protocols_get_a_table_and_a_file_each(run, runs, images, predicted, tmp_path):
    names = f"dice@0.5,{MAPS[0]}"
    for command in (
        ("score", "--pred", predicted, "--gt", images),
        ("evaluate", runs["student"], "--data", images),
    ):
        result = run(*command, "--protocol", names, "--json", tmp_path / f"{command[0]}.json")
        assert result.exit_code == 0, result.output
        assert result.stdout.count("Scored by") == 2
        assert {path.name for path in tmp_path.glob(f"{command[0]}*.json")} == {
            f"{command[0]}-dice@0.5.json",
            f"{command[0]}-{MAPS[0]}.json",
        }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--protocol", "dice@0,5x"), "Unknown protocol 'dice@0'"),
        (("--protocol", ","), "--protocol names no protocol"),
        (("--protocol", "dice@0.5", "--classes", "many"), "--classes many is no number of classes"),
        (("--protocol", "dice@0.5", "--classes", "1"), "--classes 1 is no number of classes"),
    ],
)
def test_wrong_options_are_sentences(refused, images, predicted, arguments, words):
    assert words in refused("score", "--pred", predicted, "--gt", images, *arguments)


COMMANDS = {
    "score": ("--pred", "none", "--gt", "none", "--protocol", "dice@0.5"),
    "evaluate": ("none", "--data", "none"),
    "compare": ("none", "neither"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_place_for_the_scores_is_checked_before_the_work(refused, tmp_path, command):
    (tmp_path / "file").touch()
    assert "is a folder, where a file" in refused(command, *COMMANDS[command], "--json", tmp_path)
    said = refused(command, *COMMANDS[command], "--json", tmp_path / "file" / "a.json")
    assert "a file stands in its way" in said
    assert "none" in refused(command, *COMMANDS[command], "--json", tmp_path / "new" / "a.json")
    assert (tmp_path / "new").is_dir()


def test_a_broken_file_among_many_ends_with_code_2_unless_skipped(run, refused, images, predicted, tmp_path):
    (predicted / "near" / "disc_01.png").write_bytes(b"broken")
    arguments = (
        "--pred",
        predicted,
        "--gt",
        images,
        "--protocol",
        "dice@0.5",
        "--json",
        tmp_path / "out.json",
    )
    assert "1 of 6 pairs cannot be read ('near/disc_01')" in refused("score", *arguments)
    assert not list(tmp_path.glob("out*"))
    result = run("score", *arguments, "--skip-bad")
    assert result.exit_code == 0
    assert "  note: near: Pairs that could not be read, left out (1): disc_01." in result.stdout.splitlines()
    assert json.loads((tmp_path / "out.json").read_text())["sets"]["near"]["images"] == 2


def test_class_indices_are_scored_by_name(run, tmp_path):
    for side, labels in (("pred", [[0, 1], [2, 2]]), ("gt", [[0, 1], [1, 2]])):
        (tmp_path / side).mkdir()
        Image.fromarray(np.array(labels, np.uint8)).save(tmp_path / side / "a.png")
    arguments = ("--pred", tmp_path / "pred", "--gt", tmp_path / "gt", "--protocol", "dice@0.5")
    result = run(
        "score", *arguments, "--classes", "background,kidney,tumour", "--json", tmp_path / "out.json"
    )
    assert result.exit_code == 0, result.output
    means = json.loads((tmp_path / "out.json").read_text())["sets"]["all"]
    assert means["classes"]["kidney"]["dice"] == pytest.approx(2 / 3)
    assert "classes.kidney.dice" in result.stdout


def test_two_classes_may_ignore_pixels(run, refused, tmp_path):
    for side, labels in (("pred", [[0, 1], [1, 1]]), ("gt", [[0, 1], [255, 1]])):
        (tmp_path / side).mkdir()
        Image.fromarray(np.array(labels, np.uint8)).save(tmp_path / side / "a.png")
    arguments = ("--pred", tmp_path / "pred", "--gt", tmp_path / "gt", "--protocol", "dice@0.5,miou")
    assert "--classes" in refused("score", *arguments)
    result = run("score", *arguments, "--classes", "background,polyp", "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    for protocol, measure in (("dice@0.5", "dice"), ("miou", "miou")):
        kept = json.loads((tmp_path / f"out-{protocol}.json").read_text())
        assert kept["sets"]["all"][measure] == 1
        assert "Masks with ignored pixels (1): label 255 counts nowhere." in kept["notes"]


def test_of_256_classes_none_is_ignored(run, tmp_path):
    for side in ("pred", "gt"):
        (tmp_path / side).mkdir()
        Image.fromarray(np.array([[0, 255]], np.uint8)).save(tmp_path / side / "a.png")
    arguments = ("--pred", tmp_path / "pred", "--gt", tmp_path / "gt", "--protocol", "miou")
    result = run("score", *arguments, "--classes", "256", "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    kept = json.loads((tmp_path / "out.json").read_text())
    assert kept["sets"]["all"]["classes"]["255"]["pixels"] == 1
    assert not any("ignored" in note for note in kept["notes"])


def test_a_last_class_called_ignore_counts_nowhere(run, refused, tmp_path):
    for side, labels in (("pred", [[0, 1], [2, 2]]), ("gt", [[0, 1], [3, 2]])):
        (tmp_path / side).mkdir()
        Image.fromarray(np.array(labels, np.uint8)).save(tmp_path / side / "a.png")
    arguments = ("--pred", tmp_path / "pred", "--gt", tmp_path / "gt", "--protocol", "dice@0.5")
    assert "label 3; 3 classes allow 0 to 2" in refused("score", *arguments, "--classes", "3")
    result = run("score", *arguments, "--classes", "road,car,sky,ignore", "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "out.json").read_text())["sets"]["all"]["dice"] == 1


@pytest.fixture
def volumes(tmp_path):
    """Two cases of labels 0 to 2, predictions moved by one voxel; returns both folders."""
    itk = pytest.importorskip("SimpleITK")
    labels = np.zeros((6, 12, 12), np.uint8)
    labels[1:5, 2:8, 2:8], labels[2:4, 4:6, 4:6] = 1, 2
    for side, moved in (("pred", 1), ("gt", 0)):
        (tmp_path / side).mkdir()
        for case in ("one", "two"):
            image = itk.GetImageFromArray(np.roll(labels, moved, axis=2))
            image.SetSpacing((0.5, 0.5, 3.0))
            itk.WriteImage(image, str(tmp_path / side / f"{case}.nii.gz"))
    return tmp_path / "pred", tmp_path / "gt"


def test_volumes_are_scored_case_by_case_in_millimetres(run, volumes, tmp_path):
    pred, gt = volumes
    arguments = ("--pred", pred, "--gt", gt, "--protocol", "case-3d", "--json", tmp_path / "out.json")
    result = run("score", *arguments)
    assert result.exit_code == 0, result.output
    kept = json.loads((tmp_path / "out.json").read_text())
    assert kept["sets"]["all"]["hd95_edge"] == 0.5  # one voxel along x
    assert [row["id"] for row in kept["per_image"]["all"]] == ["one", "two"]


def test_volumes_of_different_spacing_are_refused(refused, volumes):
    itk = pytest.importorskip("SimpleITK")
    pred, gt = volumes
    image = itk.ReadImage(str(pred / "two.nii.gz"))
    image.SetSpacing((0.5, 0.5, 5.0))
    itk.WriteImage(image, str(pred / "two.nii.gz"))
    said = refused("score", "--pred", pred, "--gt", gt, "--protocol", "kits23")
    assert "two.nii.gz' has the spacing (0.5, 0.5, 5), its mask (0.5, 0.5, 3)" in said


def test_a_network_for_images_is_not_scored_by_volumes(refused, runs, images):
    said = refused("evaluate", runs["student"], "--data", images, "--protocol", "kits23")
    assert "'kits23' scores whole volumes" in said


def test_labels_that_no_protocol_has_are_refused(refused, volumes):
    itk = pytest.importorskip("SimpleITK")
    pred, gt = volumes
    image = itk.ReadImage(str(gt / "one.nii.gz"))
    image[3, 3, 3] = 9
    itk.WriteImage(image, str(gt / "one.nii.gz"))
    said = refused("score", "--pred", pred, "--gt", gt, "--protocol", "kits19")
    assert "'one'" in said
    assert "9" in said


def test_names_that_do_not_pair_are_one_line(refused, images, predicted):
    Path(predicted / "far" / "disc_00.png").rename(predicted / "far" / "Disc-00.png")
    for extra in predicted.rglob("*_*_*.png"):
        extra.unlink()
    said = refused("score", "--pred", predicted, "--gt", images, "--protocol", "dice@0.5")
    assert "Near each other: 'disc_00' and 'Disc-00'." in said


def test_a_missing_folder_is_one_line(refused, images, predicted):
    shutil.rmtree(predicted)
    assert "There is no folder" in refused(
        "score", "--pred", predicted, "--gt", images, "--protocol", "dice@0.5"
    )


@pytest.fixture
def eval_yaml(runs, run, images, tmp_path):
    """Maps of a run in KDAS3's layout, and its eval.yaml beside them; returns the file."""
    arguments = ("--data", images, "--save", tmp_path, "--layout", "kdas")
    assert run("evaluate", runs["student"], *arguments).exit_code == 0
    file = tmp_path / "eval.yaml"
    file.write_text(
        f"Eval:\n  gt_root: {images}\n  pred_root: {tmp_path}/result_map/student\n  result_path: {tmp_path}/results\n"
        "  datasets: [near, elsewhere, far]\n  metrics: [mae, meanDic]\n"
    )
    return file


def test_an_eval_yaml_names_sets_measures_and_place(run, images, eval_yaml, tmp_path):
    result = run("score", "--config", eval_yaml, "--verbose")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines[:2]] == ["near:", "far:"]
    assert [line[0] for line in lines[2:5]] == ["pranet-py", "mae", "meanDic"]
    assert lines[5:7] == [["images", "3", "3"], ["empty_images", "0", "0"]]
    assert "  note: Sets without predictions and true masks, not scored: elsewhere." in result.stdout
    kept = json.loads((tmp_path / "results/student.json").read_text())
    by_flags = ("--pred", tmp_path / "result_map/student", "--gt", images, "--protocol", "pranet-py")
    assert run("score", *by_flags, "--verbose", "--json", tmp_path / "flags.json").exit_code == 0
    assert json.loads((tmp_path / "flags.json").read_text())["sets"] == kept["sets"]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--pred", "maps"), "--pred and --config both say what to score"),
        (("--protocol", "dice@0.5"), "are those of pranet-py and pranet-matlab, not of dice@0.5"),
    ],
)
def test_an_eval_yaml_and_flags_do_not_contradict_each_other(refused, eval_yaml, flags, words):
    assert words in refused("score", "--config", eval_yaml, *flags)


def test_score_says_which_flag_is_missing(refused, images):
    assert "--pred is missing: give --pred, --gt and --protocol" in refused("score", "--gt", images)
