"""A user's folders become the sets of one training."""

from __future__ import annotations

import pytest

from segdistill.core import SegDistillError
from segdistill.data import Stored, folders


@pytest.fixture
def fill(make_folder):
    def pairs(place, names):
        target = make_folder(place)
        for name in names:
            target.pair(name)
        return target.root

    return pairs


def test_one_folder_of_pairs_is_split(fill):
    data = folders(fill("root", "abcdefghij"), val_fraction=0.2, size=32)
    assert (len(data.train), len(data.val), data.tests) == (8, 2, {})
    assert data.split is not None
    assert data.augment(data.train[0])["image"].shape == (3, 32, 32)


def test_own_validation_and_test_folders_are_used(fill, tmp_path):
    fill("root/train", "abc")
    fill("root/val", "de")
    fill("root/test", "f")
    data = folders(tmp_path / "root")
    assert (data.train.ids, data.val.ids) == (["a", "b", "c"], ["d", "e"])
    assert {name: test.ids for name, test in data.tests.items()} == {"test": ["f"]}
    assert data.split is None


def test_several_test_sets_are_found_or_named(fill, tmp_path):
    fill("root", "abc")
    fill("root/test/near", "d")
    fill("root/test/far", "e")
    assert list(folders(tmp_path / "root").tests) == ["far", "near"]
    assert list(folders(tmp_path / "root", tests=["test/far"]).tests) == ["test-far"]


def test_the_split_is_stored_and_read_again(fill, tmp_path):
    root = fill("root", "abcdefghij")
    first = folders(root, split=tmp_path / "split.json", seed=0)
    again = folders(root, split=tmp_path / "split.json", seed=1)
    assert again.val.ids == first.val.ids


def test_a_cache_holds_training_at_its_size_and_validation_at_native_size(fill, tmp_path):
    data = folders(fill("root", "abcd"), val_fraction=0.25, size=(8, 8), cache=tmp_path / "cache")
    assert isinstance(data.train, Stored)
    assert data.train[0]["image"].shape == (3, 8, 8)
    assert data.val[0]["image"].shape == (3, 12, 16)


def test_the_check_of_all_sets_finds_a_broken_test_image(fill, tmp_path):
    fill("root", "abcd")
    broken = fill("root/test", "x") / "images" / "x.png"
    broken.write_bytes(b"broken")
    with pytest.raises(SegDistillError, match=r"1 of 1 samples cannot be used \('x'\)"):
        folders(tmp_path / "root").check()


def test_a_root_without_images_is_an_error_that_tells_what_it_holds(tmp_path):
    (tmp_path / "pictures").mkdir()
    with pytest.raises(SegDistillError, match=r"neither 'images' nor 'train/images', it holds 'pictures'"):
        folders(tmp_path)
    with pytest.raises(SegDistillError, match="There is no folder"):
        folders(tmp_path / "nowhere")
