from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.export import Prediction, predict
from segdistill.export.video import Video


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_video_becomes_a_mask_per_frame_and_a_record(predictor, film, tmp_path):
    [clip] = predict(predictor, film(), tmp_path / "out").clips
    assert names(tmp_path / "out") == ["clip", "clip.json"]
    assert names(clip.masks) == [f"frame_{index:06d}.png" for index in range(6)]
    mask = cv2.imread(str(clip.masks / "frame_000002.png"), cv2.IMREAD_UNCHANGED)
    assert mask.shape == (48, 64)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[20, 20] == 255
    assert json.loads((tmp_path / "out/clip.json").read_text()) == clip.record


def test_the_record_says_how_fast_and_how_steady(predictor, film, tmp_path):
    record = predict(predictor, film(), tmp_path / "out", place="cpu").clips[0].record
    facts = ("file", "frames", "complete", "height", "width", "fps")
    assert [record[fact] for fact in facts] == ["clip.avi", 6, True, 48, 64, 10]
    assert record["speed"]["network_fps"] > record["speed"]["end_to_end_fps"] > 0
    assert record["speed"]["device"] == "cpu"
    bright = record["classes"]["bright"]
    assert bright["iou"]["mean"] == pytest.approx(14 / 18, abs=0.02)
    assert bright["iou_compensated"]["mean"] > 0.95


def test_overlay_probabilities_and_chart_are_extras(predictor, film, tmp_path):
    seen = []

    def chart(record):
        seen.append(record["frames"])
        return b"a picture"

    predict(predictor, film(), tmp_path / "out", overlays=True, probabilities=True, chart=chart)
    assert names(tmp_path / "out") == ["clip", "clip.json", "clip_overlay.mp4", "clip_stability.png"]
    assert len(names(tmp_path / "out/clip")) == 12
    assert (tmp_path / "out/clip/frame_000005_probability.png").exists()
    overlay = Video(tmp_path / "out/clip_overlay.mp4")
    assert (overlay.fps, overlay.expected, overlay.size) == (10, 6, (48, 64))
    assert seen == [6]


def test_images_and_videos_may_be_mixed(predictor, film, picture, tmp_path):
    counts = []
    film("in/clip.avi"), picture("in/clip.png")
    done = predict(predictor, tmp_path / "in", tmp_path / "out", progress=lambda *c: counts.append(c))
    assert (done.count, len(done.clips)) == (1, 1)
    assert names(tmp_path / "out") == ["clip", "clip.json", "clip.png"]
    assert counts[-1] == (7, 7)


def test_two_videos_with_one_name_are_refused(predictor, film, tmp_path):
    film("a.avi"), film("a.mkv", codec="mp4v")
    with pytest.raises(SegDistillError, match=r"a\.avi and .*a\.mkv would both become a:"):
        predict(predictor, [tmp_path / "a.avi", tmp_path / "a.mkv"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_results_are_replaced_only_when_asked_and_then_as_a_whole(predictor, film, tmp_path):
    predict(predictor, film(frames=6), tmp_path / "out")
    shorter = film(frames=3)
    with pytest.raises(SegDistillError, match="holds 2 of the results already, such as clip:"):
        predict(predictor, shorter, tmp_path / "out")
    predict(predictor, shorter, tmp_path / "out", overwrite=True)
    assert len(names(tmp_path / "out/clip")) == 3
    assert names(tmp_path / "out") == ["clip", "clip.json"]


def test_a_folder_with_files_of_others_is_never_replaced(predictor, film, tmp_path):
    path = film()
    predict(predictor, path, tmp_path / "out")
    (tmp_path / "out/clip/notes.txt").write_text("mine")
    with pytest.raises(SegDistillError, match=r"out/clip holds notes\.txt, which is no frame"):
        predict(predictor, path, tmp_path / "out", overwrite=True)


def test_frames_that_no_prediction_wrote_are_never_replaced(predictor, film, picture, tmp_path):
    path, frame = film(), picture("out/clip/frame_000001.png")
    with pytest.raises(SegDistillError, match=r"holds frame_000001\.png, and no prediction is recorded"):
        predict(predictor, path, tmp_path / "out", overwrite=True)
    with pytest.raises(SegDistillError, match="out/clip would overwrite the input itself"):
        predict(predictor, [path, frame], tmp_path / "out", overwrite=True)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_stop_halfway_leaves_nothing_of_the_clip(predictor, film, tmp_path, stop):
    path, images = film(), []

    def stopping(image):
        images.append(image)
        if len(images) == 3:
            raise stop
        return predictor(image)

    stopping.classes = predictor.classes
    with pytest.raises((KeyboardInterrupt, SegDistillError)) as caught:
        predict(stopping, path, tmp_path / "out", overlays=True)
    assert names(tmp_path / "out") == []
    if isinstance(stop, OSError):
        assert str(caught.value) == f"Cannot write {tmp_path / 'out/clip'}: no space left on device."


def test_a_video_that_was_cut_off_is_done_as_far_as_it_goes_then_named(predictor, film, picture, tmp_path):
    path = film(frames=30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    with pytest.raises(
        SegDistillError, match=r"^'.*clip\.avi' ends after \d+ of 30 .* what was read is done\.$"
    ):
        predict(predictor, path, tmp_path / "out")
    record = json.loads((tmp_path / "out/clip.json").read_text())
    assert not record["complete"]
    assert len(names(tmp_path / "out/clip")) == record["frames"] < 29


def test_a_file_that_is_no_video_is_named_after_the_others_are_done(predictor, film, tmp_path):
    film("in/a.avi")
    (tmp_path / "in/b.mp4").write_bytes(b"hello")
    with pytest.raises(
        SegDistillError, match=r"1 of 2 files could not be segmented: .*b\.mp4 .* other one is done"
    ):
        predict(predictor, tmp_path / "in", tmp_path / "out")
    assert names(tmp_path / "out") == ["a", "a.json"]


def test_frames_of_many_classes_keep_their_indices(film, tmp_path):
    def thirds(image):
        mask = (np.arange(image.shape[1]) % 3).astype(np.uint8)[None].repeat(image.shape[0], 0)
        return Prediction(mask, np.stack([mask == c for c in range(3)]).astype(np.float32))

    thirds.classes = ("background", "cup", "disc")
    [clip] = predict(thirds, film(frames=2), tmp_path / "out", overlays=True).clips
    assert set(np.unique(cv2.imread(str(clip.masks / "frame_000001.png"), cv2.IMREAD_UNCHANGED))) == {0, 1, 2}
    assert list(clip.record["classes"]) == ["cup", "disc"]
