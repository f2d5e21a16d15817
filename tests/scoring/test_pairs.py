import re

import pytest

from segdistill.core import SegDistillError
from segdistill.scoring import find_pairs


@pytest.fixture
def tree(tmp_path):
    """Touch files; returns the folders of predictions and of masks."""

    def make(*paths):
        for path in paths:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        return tmp_path / "pred", tmp_path / "gt"

    return make


def names(pairs):
    return {
        name: [(p.id, p.predicted.name, p.target.name) for p in found] for name, found in pairs.sets.items()
    }


def refusal(folders, **options):
    with pytest.raises(SegDistillError) as caught:
        find_pairs(*folders, **options)
    return str(caught.value)


def test_flat_folders_are_one_set_whatever_the_endings(tree):
    folders = tree("pred/b.png", "pred/a.png", "gt/a.bmp", "gt/b.TIF", "gt/.hidden.png", "gt/readme.txt")
    assert names(find_pairs(*folders)) == {"all": [("a", "a.png", "a.bmp"), ("b", "b.png", "b.TIF")]}


def test_a_flat_folder_of_masks_may_be_a_whole_test_set(tree):
    folders = tree("pred/a.png", "gt/images/a.jpg", "gt/masks/a.png")
    assert names(find_pairs(*folders)) == {"all": [("a", "a.png", "a.png")]}


def test_sets_pair_with_and_without_a_folder_of_masks(tree):
    folders = tree("pred/x/a.png", "pred/y/b.npy", "gt/x/masks/a.png", "gt/x/images/a.jpg", "gt/y/b.jpg")
    assert names(find_pairs(*folders)) == {"x": [("a", "a.png", "a.png")], "y": [("b", "b.npy", "b.jpg")]}


def test_volumes_pair_by_what_stands_before_nii_gz(tree):
    folders = tree("pred/case.1.nii.gz", "pred/log.png", "gt/case.1.nii")
    assert names(find_pairs(*folders, reads="volume")) == {"all": [("case.1", "case.1.nii.gz", "case.1.nii")]}


def test_sets_that_were_not_predicted_are_noted(tree):
    pairs = find_pairs(*tree("pred/x/a.png", "gt/x/a.png", "gt/y/a.png", "gt/docs/readme.txt"))
    assert pairs.notes == ("Sets without predictions, not scored: y.",)


@pytest.mark.parametrize(("reads", "file"), [("map", "a_probability.png"), ("mask", "a.png")])
def test_what_our_predict_writes_is_understood(tree, reads, file):
    folders = tree("pred/a.png", "pred/a_overlay.png", "pred/a_probability.png", "gt/a.png")
    assert names(find_pairs(*folders, reads=reads)) == {"all": [("a", file, "a.png")]}


def test_a_mask_may_be_named_like_an_overlay(tree):
    folders = tree("pred/a_overlay.png", "pred/a.png", "gt/a_overlay.png", "gt/a.png")
    assert [pair[0] for pair in names(find_pairs(*folders))["all"]] == ["a", "a_overlay"]


def test_names_that_do_not_pair_are_listed_with_near_ones(tree):
    folders = tree("pred/Case_1.png", "pred/b.png", "pred/b2.png", "gt/case_1.png", "gt/b.png")
    said = refusal(folders)
    assert "1 mask ('case_1') in" in said
    assert "without a prediction, 2 predictions ('Case_1', 'b2') in" in said
    assert "Near each other: 'case_1' and 'Case_1'." in said


def test_a_short_name_is_near_itself_with_a_suffix(tree):
    folders = tree("pred/10.png", "pred/1_pred.png", "gt/10.png", "gt/1.png")
    assert "Near each other: '1' and '1_pred'." in refusal(folders)


def test_thousands_of_lonely_names_are_counted_not_listed(tree):
    folders = tree("pred/0000.png", *(f"gt/{n:04d}.png" for n in range(50)))
    assert re.search(r"49 masks \('0001', '0002', '0003' and 46 more\)", refusal(folders))


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("gt/a.png",), "There is no folder '.*pred'"),
        (("pred/a.png",), "There is no folder '.*gt'"),
        (("pred/notes.txt", "gt/a.png"), "pred' holds no predictions (.png.*; it holds 'notes.txt'"),
        (("pred/model/x/a.png", "gt/a.png"), "pred' holds no predictions .*; it holds 'model'"),
        (("pred/a.png", "gt/notes.txt"), "gt' holds no true masks"),
        (("pred/x/a.png", "gt/x/masks/b.txt"), "masks' holds no true masks"),
        (("pred/a.png", "pred/x/a.png", "gt/a.png"), "holds predictions itself and in 'x'"),
        (("pred/a.png", "gt/x/a.png"), "the predictions of one set, .*one folder per set .'x'."),
        (("pred/x/a.png", "gt/a.png"), "one folder per set .'x'., .* the masks of one set"),
        (("pred/Kvasirr/a.png", "gt/Kvasir/a.png"), "Unknown set of .*'Kvasirr'. Did you mean 'Kvasir'"),
        (("pred/a.png", "pred/a.jpg", "gt/a.png"), "'a.jpg' and 'a.png' in .* share a name"),
    ],
)
def test_folders_that_do_not_fit_are_a_sentence(tree, paths, words):
    assert re.search(words.replace("(.png", r"\(.png"), refusal(tree(*paths)))


def test_images_are_no_volumes(tree):
    said = refusal(tree("pred/a.png", "gt/a.nii.gz"), reads="volume")
    assert "holds no predictions (.nii.gz, .nii, .mha, .nrrd); it holds 'a.png'" in said


@pytest.mark.parametrize(
    ("gt", "pred"),
    [
        ("case_00000/segmentation.nii.gz", "case_00000.nii.gz"),
        ("case_00000/segmentation.nii.gz", "prediction_00000.nii.gz"),
        ("case_00000/segmentation.nii.gz", "case_00000/prediction.nii.gz"),
        ("segmentation-0.nii", "test-segmentation-0.nii"),
        ("segmentation-0.nii", "prediction-0.nii"),
        ("segmentation-0.nii", "volume-0.nii"),
    ],
)
def test_volumes_of_one_case_pair_as_challenges_name_them(tree, gt, pred):
    images = ("gt/case_00000/imaging.nii.gz", "gt/case_00001/imaging.nii.gz", "gt/volume-0.nii")
    pairs = find_pairs(*tree(f"gt/{gt}", f"pred/{pred}", *images), reads="volume")
    [(name, predicted, target)] = names(pairs)["all"]
    assert name == gt.split("/")[0].removesuffix(".nii")
    assert f"{predicted} {target}" == f"{pred.split('/')[-1]} {gt.split('/')[-1]}"
    is_said = [f"such as {predicted!r} with {name!r}" in note for note in pairs.notes]
    assert is_said == [True] * ("case_00000" not in pred)


def test_sets_may_hold_one_folder_per_case(tree):
    folders = tree("pred/x/case_1.nii", "gt/x/case_1/segmentation.nii", "gt/x/case_1/imaging.nii")
    assert names(find_pairs(*folders, reads="volume")) == {
        "x": [("case_1", "case_1.nii", "segmentation.nii")]
    }


def test_a_whole_name_pairs_before_a_key(tree):
    folders = tree("pred/case_1.nii", "pred/pred_2.nii", "gt/case_1.nii", "gt/case_2.nii")
    assert [pair[:2] for pair in names(find_pairs(*folders, reads="volume"))["all"]] == [
        ("case_1", "case_1.nii"),
        ("case_2", "pred_2.nii"),
    ]


@pytest.mark.parametrize("gt", [["case_1"], ["case_1", "test_1"]], ids=["a mask for one", "a mask for each"])
def test_two_volumes_of_one_case_are_a_sentence(tree, gt):
    folders = tree("pred/pred_1.nii", "pred/seg_1.nii", *(f"gt/{name}.nii" for name in gt))
    assert "by their names; keep one" in refusal(folders, reads="volume")


def test_a_whole_name_does_not_make_another_of_its_case_certain(tree):
    folders = tree("pred/case_1.nii", "pred/pred_1.nii", "gt/case_1.nii", "gt/test_1.nii")
    assert "'case_1' and 'test_1' in " in refusal(folders, reads="volume")


def test_volumes_that_do_not_pair_are_listed_with_near_ones(tree):
    folders = tree("pred/pred_0.nii", "pred/pred_3.nii", "gt/case_0000/segmentation.nii", "gt/case_3.nii")
    said = refusal(folders, reads="volume")
    assert "1 mask ('case_0000')" in said
    assert "Near each other: 'case_0000' and 'pred_0'." in said


def test_images_pair_by_whole_names_only(tree):
    assert "Near each other: '1' and '1_mask'" in refusal(tree("pred/1_mask.png", "gt/1.png"))
