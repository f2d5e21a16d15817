"""A folder of pairs is checked before anything is decoded, and every complaint names files."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.data import FolderSet, Part, group_by_name


def test_a_sample_is_bytes_at_native_size_with_its_id(folder):
    folder.pair("b").pair("a", size=(10, 20), mask=np.full((10, 20), 255, np.uint8))
    dataset = FolderSet(folder.root)
    assert dataset.ids == ["a", "b"]
    sample = dataset[0]
    assert isinstance(sample["image"], tv_tensors.Image)
    assert isinstance(sample["mask"], tv_tensors.Mask)
    assert (sample["image"].shape, sample["image"].dtype) == ((3, 10, 20), torch.uint8)
    assert (sample["mask"].shape, sample["mask"].dtype) == ((10, 20), torch.uint8)
    assert sample["mask"].unique().tolist() == [1]
    assert sample["id"] == "a"
    assert len(list(dataset)) == len(dataset) == 2


def test_a_missing_folder_is_an_error_that_tells_what_is_there(folder):
    folder.pair("a")
    with pytest.raises(SegDistillError, match=r"no folder '.*labels'; '.*' holds 'images', 'masks'"):
        FolderSet(folder.root, masks="labels")


def test_a_missing_root_is_an_error(tmp_path):
    with pytest.raises(SegDistillError, match=r"no folder '.*images'; '.*nowhere' does not exist either"):
        FolderSet(tmp_path / "nowhere")


def test_an_empty_folder_is_an_error(folder):
    (folder.root / "images" / "notes.txt").write_text("no image")
    with pytest.raises(SegDistillError, match=r"No images in '.*images'; \.png, .* files are read"):
        FolderSet(folder.root)


def test_images_of_a_kind_that_is_not_read_are_named_and_never_left_out_without_a_word(folder):
    for kind in ("images", "masks"):
        (folder.root / kind / "b.webp").write_bytes(b"")
    with pytest.raises(SegDistillError, match=r"files are read, but not 'b\.webp'; convert them to png\."):
        FolderSet(folder.root)
    folder.pair("a")
    (folder.root / "masks" / "b.webp").unlink()
    with pytest.warns(UserWarning, match=r"1 images in '.*images' are left out, .* \('b\.webp'\); convert"):
        assert FolderSet(folder.root).ids == ["a"]


def test_an_image_without_mask_is_named_with_the_nearest_mask(folder):
    folder.pair("case1").pair("case2")
    (folder.root / "masks" / "case2.png").rename(folder.root / "masks" / "case2_mask.png")
    with pytest.raises(
        SegDistillError,
        match=r"1 images .* have no mask \('case2'\); is 'case2_mask\.png' the one of 'case2'\?",
    ):
        FolderSet(folder.root)


def test_a_mask_without_image_is_named_and_many_are_counted(folder):
    for name in "abcde":
        folder.pair(name)
    for name in "bcde":
        (folder.root / "images" / f"{name}.png").unlink()
    with pytest.raises(SegDistillError, match=r"4 masks .* have no image \('b', 'c', 'd' and 1 more\)"):
        FolderSet(folder.root)


def test_two_files_of_one_name_are_an_error(folder):
    folder.pair("a").image("a.jpg", np.zeros((12, 16, 3), np.uint8))
    with pytest.raises(SegDistillError, match=r"'a\.jpg' and 'a\.png' in .* share a name"):
        FolderSet(folder.root)


def test_a_mask_of_another_size_is_named_with_both_sizes(folder):
    folder.pair("a").pair("b", mask=np.zeros((16, 12), np.uint8))
    with pytest.raises(
        SegDistillError, match=r"1 of 2 masks .* \('b'\); the first is \(16, 12\), its image \(12, 16\)"
    ):
        FolderSet(folder.root)


def test_broken_files_are_counted_and_named_before_training(folder):
    for name in "abcd":
        folder.pair(name)
    whole = (folder.root / "images" / "b.png").read_bytes()
    (folder.root / "images" / "b.png").write_bytes(whole[: len(whole) // 2])
    (folder.root / "masks" / "d.png").write_bytes(b"no image")
    dataset = FolderSet(folder.root)
    with pytest.raises(
        SegDistillError, match=r"2 of 4 samples cannot be used \('b', 'd'\); the first: .*b\.png"
    ):
        dataset.check()
    assert dataset[0]["id"] == "a"


def test_a_good_folder_passes_the_check(folder):
    folder.pair("a").pair("b")
    FolderSet(folder.root).check()


def test_hidden_and_other_files_are_left_alone(folder):
    folder.pair("a")
    (folder.root / "images" / "Thumbs.db").write_bytes(b"")
    (folder.root / "images" / "._a.png").write_bytes(b"")
    assert FolderSet(folder.root).ids == ["a"]


def test_masks_may_have_a_suffix(folder):
    folder.pair("a")
    (folder.root / "masks" / "a.png").rename(folder.root / "masks" / "a_segmentation.png")
    assert FolderSet(folder.root, mask_suffix="_segmentation").ids == ["a"]


def test_the_fingerprint_follows_the_content_and_nothing_else(folder, make_folder):
    folder.pair("a").pair("b")
    same = make_folder("copy").pair("b").pair("a")
    before = FolderSet(folder.root).fingerprint()
    assert FolderSet(same.root).fingerprint() == before
    same.mask("a.png", np.zeros((12, 16), np.uint8))
    assert FolderSet(same.root).fingerprint() != before


def test_a_part_keeps_ids_groups_and_content(folder):
    for name in ("p1_1", "p1_2", "p2_1"):
        folder.pair(name)
    whole = FolderSet(folder.root)
    part = Part(whole, ["p2_1", "p1_1"])
    assert (part.ids, part.groups) == (["p2_1", "p1_1"], ["p2", "p1"])
    assert (part[1]["image"] == whole[0]["image"]).all()
    assert part.hashes() == {name: whole.hashes()[name] for name in part.ids}
    with pytest.raises(SegDistillError, match="has no sample 'p3'"):
        Part(whole, ["p3"])


def test_groups_come_from_case_and_frame_numbers_in_names():
    assert group_by_name(["0001TP_006690", "0001TP_6720", "Seq05VD_f01410"]) == [
        "0001TP",
        "0001TP",
        "Seq05VD",
    ]
    assert group_by_name(["IMG_1", "IMG_2"]) == ["IMG_1", "IMG_2"]
    assert group_by_name(["day1_1", "day1_2"]) == ["day1_1", "day1_2"]  # one group for all tells nothing


def test_groups_may_be_given_by_pattern_or_function():
    assert group_by_name(["ab-1", "cd-2", "x"], r"^(\w+)-") == ["ab", "cd", "x"]
    assert group_by_name(["ab", "ac"], lambda name: name[0]) == ["a", "a"]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [("(", "is not a regular expression"), ("case", "has no bracket"), (r"(\d+)", "matches none of 1 names")],
)
def test_a_wrong_group_pattern_is_an_error(pattern, message):
    with pytest.raises(SegDistillError, match=message):
        group_by_name(["case"], pattern)
