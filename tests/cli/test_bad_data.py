"""Every mistake in a data folder is one line and code 2 on the command line, and leaves no run behind."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
import yaml

from toys import Discs

FOLDER = {
    "name": "own",
    "data": {"folders": {"root": "ROOT", "val_fraction": 0.25, "size": [32, 32]}},
    "teacher": {"net": {"toys.TinyNet": {"width": 8}}, "weights": "none"},
    "student": {"net": {"toys.TinyNet": {"width": 4}}, "weights": "none"},
    "method": "KD",
    "training": {"epochs": 1, "batch_size": 2, "workers": 0, "accelerator": "cpu", "precision": "32"},
}


@pytest.fixture
def own(tmp_path):
    """A folder of eight images and masks of somebody's own."""
    root = tmp_path / "own"
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    for name, (image, mask) in zip(Discs(8).ids, Discs(8).samples, strict=True):
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        cv2.imwrite(str(root / "images" / f"{name}.png"), pixels)
        cv2.imwrite(str(root / "masks" / f"{name}.png"), mask.numpy() * 255)
    return root


@pytest.fixture
def train(own, tmp_path):
    """Arguments of a training on that folder."""
    FOLDER["data"]["folders"]["root"] = str(own)
    recipe = tmp_path / "own.yaml"
    recipe.write_text(yaml.safe_dump(FOLDER))
    return ["train", recipe, "--out", tmp_path / "run"]


def empty(own):
    for path in own.glob("*/*"):
        path.unlink()


def missing(own):
    shutil.rmtree(own)


def without_a_mask(own):
    (own / "masks" / "disc_02.png").unlink()


def without_an_image(own):
    (own / "images" / "disc_02.png").unlink()


def of_another_size(own):
    cv2.imwrite(str(own / "masks" / "disc_02.png"), np.zeros((16, 32), np.uint8))


def truncated(own):
    path = own / "images" / "disc_02.png"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def not_an_image(own):
    (own / "images" / "disc_02.png").write_text("a text")


def twice(own):
    shutil.copy(own / "images" / "disc_02.png", own / "images" / "disc_02.PNG.bmp")
    shutil.copy(own / "images" / "disc_02.png", own / "images" / "disc_02.jpg")


def too_dark(own):
    for path in (own / "masks").iterdir():
        cv2.imwrite(str(path), (cv2.imread(str(path), 0) > 0).astype(np.uint8) * 60)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (empty, "own/images"),
        (missing, "no folder"),
        (without_a_mask, "'disc_02'"),
        (without_an_image, "'disc_02'"),
        (of_another_size, "disc_02"),
        (truncated, "disc_02.png"),
        (not_an_image, "disc_02.png"),
        (twice, "disc_02"),
        (too_dark, "128"),
    ],
)
def test_a_spoilt_folder_is_named_before_training(spoil, words, own, train, refused, tmp_path):
    spoil(own)
    assert words in refused(*train)
    assert not (tmp_path / "run").exists()


def test_a_whole_folder_trains(train, run, tmp_path):
    result = run(*train)
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "split.json").exists()
    assert (tmp_path / "run" / "figures" / "curves.png").exists()


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("student.size=[64]", "has 1 numbers"),
        ("training.batch_size=64", "larger than the"),
        ("task={Multilabel: {classes: [a, b]}}", "one plane per class"),
        ("training.lr_factors={encoder: -1}", "more than 0"),
        ("training.precision='16'", "needs a GPU"),
    ],
)
def test_an_impossible_option_is_named_before_training(override, words, train, refused, tmp_path):
    assert words in refused(*train, "-o", override)
    assert not (tmp_path / "run").exists()
