from __future__ import annotations

import os
import sys

import cv2
import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.export import Prediction, predict


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_becomes_one_mask_per_image_at_its_size(predictor, picture, tmp_path):
    folder = picture("in/a.png", (20, 30)).parent
    picture("in/b.JPG", (24, 18))
    result = predict(predictor, folder, tmp_path / "out")
    assert names(tmp_path / "out") == ["a.png", "b.png"]
    assert read(tmp_path / "out/a.png").shape == (20, 30)
    assert read(tmp_path / "out/b.png").shape == (24, 18)
    assert result.count == 2
    assert result.seconds_per_image > 0


def test_a_binary_mask_is_black_and_white(predictor, picture, tmp_path):
    predict(predictor, picture(), tmp_path / "out")
    mask = read(tmp_path / "out/a.png")
    assert set(np.unique(mask)) == {0, 255}
    assert mask.sum() == 255 * 5 * 10


def test_probabilities_are_written_in_eight_bits(predictor, picture, tmp_path):
    predict(predictor, picture(), tmp_path / "out", probabilities=True)
    assert set(np.unique(read(tmp_path / "out/a_probability.png"))) == {40, 200}


def test_an_overlay_changes_only_what_was_found(predictor, picture, tmp_path):
    source = picture()
    predict(predictor, source, tmp_path / "out", overlays=True)
    changed = (read(tmp_path / "out/a_overlay.png") != read(source)).any(axis=2)
    assert changed[7, 10]
    assert not changed[15:, 20:].any()


def test_what_a_network_fails_on_is_named_after_the_others_are_done(predictor, picture, film, tmp_path):
    def failing(image):
        if image.shape[:2] == (20, 30):
            raise SegDistillError("NaN has no mask.")
        return predictor(image)

    failing.classes = predictor.classes
    wrong = (picture("in/a.png"), film("in/clip.avi", size=(20, 30)))
    picture("in/z.png", (24, 18))
    for file, frame in zip(wrong, ("", ", frame 0"), strict=True):
        with pytest.raises(SegDistillError, match=f"{file.name}{frame}: NaN has no mask"):
            predict(failing, file, tmp_path / "alone")
    with pytest.raises(SegDistillError, match=r"2 of 2 files could not be segmented: [^)]*\)\.$"):
        predict(failing, wrong, tmp_path / "alone")
    assert names(tmp_path / "alone") == []
    with pytest.raises(
        SegDistillError, match=r"2 of 3 files could not be segmented: .*a\.png, .*clip\.avi .*NaN"
    ):
        predict(failing, tmp_path / "in", tmp_path / "out")
    assert names(tmp_path / "out") == ["z.png"]


def test_a_multiclass_mask_keeps_its_indices(picture, tmp_path):
    def predictor(image):
        mask = np.arange(image.shape[0] * image.shape[1]).reshape(image.shape[:2]) % 3
        probability = np.stack([mask == c for c in range(3)])
        return Prediction(mask.astype(np.uint8), probability.astype(np.float32))

    predictor.classes = ("background", "cup", "disc of/the eye")
    predict(predictor, picture(), tmp_path / "out", probabilities=True, overlays=True)
    assert set(np.unique(read(tmp_path / "out/a.png"))) == {0, 1, 2}
    assert names(tmp_path / "out") == [
        "a.png",
        "a_overlay.png",
        "a_probability_background.png",
        "a_probability_cup.png",
        "a_probability_disc-of-the-eye.png",
    ]


def test_a_multilabel_task_gives_one_mask_per_class(picture, tmp_path):
    def predictor(image):
        mask = np.ones((2, *image.shape[:2]), np.uint8)
        return Prediction(mask, mask.astype(np.float32))

    predictor.classes = ("liver", "tumour")
    predict(predictor, picture(), tmp_path / "out", overlays=True)
    assert names(tmp_path / "out") == ["a_liver.png", "a_overlay.png", "a_tumour.png"]
    assert (read(tmp_path / "out/a_tumour.png") == 255).all()
    with pytest.raises(SegDistillError, match=r"holds 2 of the results already, such as a_liver\.png"):
        predict(predictor, tmp_path / "images/a.png", tmp_path / "out")


def test_hidden_files_and_other_files_of_a_folder_are_left_out(predictor, picture, tmp_path):
    folder = picture("in/a.png").parent
    (folder / "._a.png").write_bytes(b"resource fork")
    (folder / "notes.txt").write_text("hello")
    assert predict(predictor, folder, tmp_path / "out").count == 1


def test_a_file_named_twice_is_predicted_once(predictor, picture, tmp_path):
    file = picture("in/a.png")
    assert predict(predictor, [file, file.parent], tmp_path / "out").count == 1


def test_progress_counts_every_image(predictor, picture, tmp_path):
    seen = []
    files = [picture("in/a.png"), picture("in/b.png")]
    predict(predictor, files, tmp_path / "out", progress=lambda *counts: seen.append(counts))
    assert seen == [(1, 2), (2, 2)]


def test_two_images_with_one_name_are_refused_before_anything_is_written(predictor, picture, tmp_path):
    first, second = picture("one/a.png"), picture("two/A.jpg")
    with pytest.raises(SegDistillError, match=r"one/a\.png and .*two/A\.jpg would both become a\.png"):
        predict(predictor, [first.parent, second.parent], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_image_called_like_the_overlay_of_another_is_refused(predictor, picture, tmp_path):
    folder = picture("in/a.png").parent
    picture("in/a_overlay.png")
    with pytest.raises(SegDistillError, match=r"would both become a_overlay\.png"):
        predict(predictor, folder, tmp_path / "out", overlays=True)
    assert predict(predictor, folder, tmp_path / "out").count == 2


def test_images_are_never_overwritten_by_their_masks(predictor, picture, tmp_path):
    file = picture("in/a.png")
    before = file.read_bytes()
    with pytest.raises(SegDistillError, match="would overwrite the input itself"):
        predict(predictor, file, file.parent, overwrite=True)
    assert file.read_bytes() == before


def test_results_that_exist_are_kept_unless_overwriting_is_asked_for(predictor, picture, tmp_path):
    file, out = picture(), tmp_path / "out"
    predict(predictor, file, out)
    with pytest.raises(SegDistillError, match=r"holds 1 of the results already, such as a\.png"):
        predict(predictor, file, out)
    assert predict(predictor, file, out, overwrite=True).count == 1


def test_a_missing_path_is_named(predictor, tmp_path):
    with pytest.raises(SegDistillError, match="no file or folder .*nowhere"):
        predict(predictor, tmp_path / "nowhere", tmp_path / "out")


def test_no_input_at_all_is_an_error(predictor, tmp_path):
    with pytest.raises(SegDistillError, match="name at least one image"):
        predict(predictor, [], tmp_path / "out")


def test_a_folder_without_images_points_to_the_one_inside(predictor, picture, tmp_path):
    folder = picture("set/images/a.png").parent.parent
    with pytest.raises(SegDistillError, match=r"holds no image or video .* Did you mean .*set/images\?"):
        predict(predictor, folder, tmp_path / "out")


def test_a_broken_file_is_named_after_the_others_are_done(predictor, picture, tmp_path):
    folder = picture("in/a.png").parent
    picture("in/z.png")
    (folder / "m.png").write_bytes(b"not an image")
    with pytest.raises(
        SegDistillError, match=r"1 of 3 files could not be segmented: .*m\.png.* other 2 are done"
    ):
        predict(predictor, folder, tmp_path / "out")
    assert names(tmp_path / "out") == ["a.png", "z.png"]


def test_a_file_in_the_way_of_the_folder_is_named(predictor, picture, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(SegDistillError, match="out cannot be a folder: a file stands in its way"):
        predict(predictor, picture(), tmp_path / "out")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_named(predictor, picture, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(SegDistillError, match="out is not writable"):
        predict(predictor, picture(), tmp_path / "out")


def test_a_full_disk_leaves_no_half_file(predictor, picture, tmp_path, monkeypatch):
    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    source = picture()
    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(SegDistillError, match=r"Cannot write .*a\.png: no space left on device"):
        predict(predictor, source, tmp_path / "out")
    assert names(tmp_path / "out") == []
