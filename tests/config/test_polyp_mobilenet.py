"""A configuration of the MobileNetV2 polyp project becomes a recipe."""

from __future__ import annotations

import pytest

from segdistill import config
from segdistill.config.text import parse
from segdistill.core import SegDistillError

THEIRS = """\
experiment_name: "My run"
data_root: "data"
save_dir: "weights"
student_backbone: "resnet18"
teacher_checkpoint: "teacher.pth"
img_size: 256
batch_size: 4
epochs: 7
learning_rate: 3.0e-4
num_workers: 2
seed: 5
alpha: 0.7
temperature: 2.0
"""


@pytest.fixture
def convert(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def converted(text):
        (tmp_path / "config.yaml").write_text(text)
        return config.import_polyp_mobilenet("config.yaml")

    return converted


def test_every_key_reaches_its_place(convert):
    text = convert(THEIRS)
    full = config.complete(parse(text, source="recipe"))
    assert full["name"] == "My run"
    assert full["data"]["polyp"]["root"] == "data"
    assert full["data"]["polyp"]["size"] == [256, 256]
    assert full["student"]["net"] == {"smp.Unet": {"encoder_name": "resnet18"}}
    assert full["student"]["size"] == full["teacher"]["size"] == [256, 256]
    assert (full["student"]["mean"], full["student"]["std"]) == (0, 1)
    assert full["method"] == [{"polyp-mobilenet": {"variant": "as_released", "alpha": 0.7, "temperature": 2}}]
    expected = {"batch_size": 4, "epochs": 7, "lr": 3e-4, "workers": 2, "seed": 5, "schedule": "constant"}
    assert expected.items() <= full["training"].items()
    assert "--out 'weights/My run_TEACHER'" in text


def test_a_long_name_stays_on_its_line(convert):
    name = " ".join(["a name of many words"] * 8)
    text = convert(f"experiment_name: {name}\ndata_root: /{name}\nteacher_checkpoint: {name}")
    recipe = parse(text, source="recipe")
    assert (recipe["name"], recipe["data"]["polyp"]["root"]) == (name, f"/{name}")


def test_what_is_missing_is_as_in_our_recipe_of_the_project(convert, monkeypatch):
    monkeypatch.setenv("SEGDISTILL_DATA", "there")
    ours = config.complete(config.read("polyp-mobilenet"))
    theirs = config.complete(parse(convert("seed: 42"), source="recipe"))
    ours["training"]["workers"] = 4
    assert all(theirs[key] == ours[key] for key in ("student", "teacher", "method", "loss", "training"))


def test_the_teacher_is_its_checkpoint_where_that_is_there(convert, tmp_path):
    assert "weights: imagenet  # teacher_checkpoint teacher.pth is not there" in convert(THEIRS)
    (tmp_path / "teacher.pth").touch()
    assert parse(convert(THEIRS), source="recipe")["teacher"]["weights"] == "teacher.pth"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("epoch: 3", "Unknown option of config.yaml 'epoch'. Did you mean 'epochs'"),
        ("epochs: many", "config.yaml.epochs must be a whole number, got 'many'"),
        ("epochs: 0", "epochs must be at least 1, got 0"),
        ("alpha: 1.5", "alpha is the share of the labels"),
        ("temperature: 0", "needs a positive temperature, got 0"),
        ("temperature: .inf", "config.yaml.temperature must be a finite number, got inf"),
        (
            'experiment_name: "two\\nlines"',
            r"experiment_name of 'config.yaml' holds a line break, 'two\\nlines'",
        ),
        ("epochs: 3\nseed: 1\nepochs: 3", "'epochs' stands twice, again in line 3: keep one"),
        ("img_size: 300", "multiples of 32"),
        ("student_backbone: mobilenet_v22", "Did you mean 'mobilenet_v2'"),
        ("- epochs", "holds no keys"),
        ("epochs: [1", "is not YAML"),
    ],
)
def test_a_wrong_file_is_a_sentence(convert, line, words):
    with pytest.raises(SegDistillError, match=words):
        convert(line)


def test_no_file_is_a_sentence():
    with pytest.raises(SegDistillError, match="no file 'nowhere.yaml'"):
        config.import_polyp_mobilenet("nowhere.yaml")


def test_a_file_may_have_any_name(tmp_path):
    file = tmp_path / 'their "best": v1.yaml'
    file.write_text(THEIRS)
    about = parse(config.import_polyp_mobilenet(file), source="recipe")["about"]
    assert about == f"Imported from {file.name} of the MobileNetV2 polyp project."
