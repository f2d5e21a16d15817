"""The polyp benchmark: layout, sequences, sources, copies, and the real images where they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.data import Seeded, polyp, polyp_tests, polyp_train
from segdistill.data.polyp import sequence_of


@pytest.fixture
def benchmark(make_folder, tmp_path):
    train = make_folder("polyp/TrainDataset")
    for name in ["1", "2", "25", "26", "27", "612", *(f"cju{letter}" for letter in "abcdef")]:
        train.pair(name)
    make_folder("polyp/TestDataset/Kvasir").pair("cjux")
    make_folder("polyp/TestDataset/CVC-ClinicDB").pair("3")
    return tmp_path / "polyp"


def test_the_layout_becomes_sets_with_groups_and_sources(benchmark):
    data = polyp(benchmark, val_fraction=0.25, size=(32, 32))
    assert sorted(data.tests) == ["CVC-ClinicDB", "Kvasir"]
    assert data.train.classes == ("background", "polyp")
    assert not set(data.train.groups) & set(data.val.groups)
    assert set(data.train.sources) == set(data.val.sources) == {"CVC-ClinicDB", "Kvasir"}
    assert data.augment(data.train[0])["mask"].shape == (32, 32)


def test_frames_belong_to_the_29_sequences_and_other_names_to_themselves():
    assert sequence_of("1") == sequence_of("25") != sequence_of("26")
    assert sequence_of("591") != sequence_of("592") == sequence_of("612") == "CVC-ClinicDB sequence 29"
    assert len({sequence_of(str(frame)) for frame in range(1, 613)}) == 29
    assert sequence_of("613") == "613"
    assert sequence_of("cju0") == "cju0"


def test_test_sets_may_be_chosen_and_a_wrong_name_names_the_right_one(benchmark):
    assert list(polyp_tests(benchmark, ["Kvasir"])) == ["Kvasir"]
    with pytest.raises(SegDistillError, match=r"Unknown test set 'Kvasr'\. Did you mean 'Kvasir'"):
        polyp(benchmark, tests=["Kvasr"])


def test_a_test_image_that_is_in_training_is_warned_of(benchmark):
    source = benchmark / "TrainDataset" / "images" / "26.png"
    (benchmark / "TestDataset" / "Kvasir" / "images" / "cjux.png").write_bytes(source.read_bytes())
    with pytest.warns(
        UserWarning, match=r"1 of 1 images of test set 'Kvasir' are in the training set.*'cjux'"
    ):
        polyp(benchmark)


def test_a_missing_test_folder_is_an_error(make_folder, tmp_path):
    make_folder("polyp/TrainDataset").pair("1")
    with pytest.raises(SegDistillError, match=r"no folder '.*TestDataset'; the test sets belong there"):
        polyp(tmp_path / "polyp")


@pytest.mark.data
def test_the_real_benchmark_is_complete_and_split_by_sequence(polyp_root):
    data = polyp(polyp_root, val_fraction=0.1)
    assert len(data.train) + len(data.val) == 1450
    assert {name: len(test) for name, test in data.tests.items()} == {"CVC-ClinicDB": 62, "Kvasir": 100}
    assert not set(data.train.groups) & set(data.val.groups)
    assert data.val.sources.count("Kvasir") == 90
    assert 45 <= data.val.sources.count("CVC-ClinicDB") <= 65


@pytest.mark.data
def test_real_images_are_colourful_and_their_polyps_move_with_them(polyp_root):
    train = polyp_train(polyp_root)
    data = Seeded(train, polyp(polyp_root, size=128).augment)
    for index in range(0, 1450, 145):
        plain, moved = train[index], data[(0, index)]
        assert plain["mask"].unique().tolist() == [0, 1]
        assert moved["image"].shape == (3, 128, 128)
        red, blue = (plain["image"][channel].float().mean() for channel in (0, 2))
        assert red > blue  # RGB, not BGR
        inside = [sample["image"][:, sample["mask"] == 1].float().mean(1) for sample in (plain, moved)]
        assert np.allclose(*[colour / colour.sum() for colour in map(torch.Tensor.numpy, inside)], atol=0.08)
