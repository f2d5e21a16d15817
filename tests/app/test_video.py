"""A video in, a video that browsers play out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segdistill import SegDistillError
from segdistill.app import Limits, Look, Model, words
from segdistill.app.video import watch
from segdistill.export.video import Recorder, Video


@pytest.fixture
def clip(tmp_path, image):
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (60, 40))
    for shift in range(5):
        writer.write(np.roll(image, shift, axis=1))
    writer.release()
    return path


def test_every_frame_comes_back_with_its_mask(clip, bright, tmp_path):
    watched = watch(bright, clip, tmp_path / "out.webm", look=Look(), limits=Limits())
    back = cv2.VideoCapture(str(tmp_path / "out.webm"))
    assert (watched.frames, watched.cut) == (5, False)
    assert watched.percent == pytest.approx(47, abs=2)
    assert (back.get(cv2.CAP_PROP_FRAME_WIDTH), back.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (60, 40)
    assert back.read()[0]


def test_a_long_video_is_cut_and_says_so(clip, bright, tmp_path):
    watched = watch(bright, clip, tmp_path / "out.webm", look=Look(), limits=Limits(frames=3))
    assert (watched.frames, watched.cut) == (3, True)


def test_what_is_no_video_is_called_by_the_users_name_for_it(bright, tmp_path):
    (tmp_path / "notes.mp4").write_text("no video")
    with pytest.raises(SegDistillError, match="Cannot read 'notes.mp4'"):
        watch(bright, tmp_path / "notes.mp4", tmp_path / "out.webm", look=Look(), limits=Limits())


def test_frames_that_are_too_large_are_refused(clip, bright, tmp_path):
    with pytest.raises(SegDistillError, match="Frames of 60 x 40 pixels are too large"):
        watch(bright, clip, tmp_path / "out.webm", look=Look(), limits=Limits(megapixels=0.001))


def test_a_network_that_fails_mid_way_names_the_frame_and_lets_the_file_go(
    clip, bright, tmp_path, monkeypatch
):
    class Tiring:
        classes = bright.predictor.classes
        asked = 0

        def __call__(self, image):
            self.asked += 1
            if self.asked == 3:
                raise RuntimeError("out of memory")
            return bright.predictor(image)

    class Noted(Recorder):
        def __exit__(self, *reason):
            super().__exit__(*reason)
            released.append(not self._writer.isOpened())

    released = []
    monkeypatch.setattr("segdistill.app.video.Recorder", Noted)
    with pytest.raises(SegDistillError, match="'net' failed on 'frame 2', 60 x 40 pixels: out of memory"):
        watch(Model("net", Tiring()), clip, tmp_path / "out.webm", look=Look(), limits=Limits())
    assert released == [True]


def test_an_upload_that_is_gone_is_to_be_chosen_again(bright, tmp_path):
    with pytest.raises(SegDistillError, match="The upload is no longer kept: choose it again"):
        watch(bright, tmp_path / "gone.mp4", tmp_path / "out.webm", look=Look(), limits=Limits())


def test_what_classes_share_counts_once(clip, layers, tmp_path):
    watched = watch(layers, clip, tmp_path / "out.webm", look=Look(threshold=0.01), limits=Limits())
    assert watched.percent <= 100


def test_a_video_that_was_cut_off_says_so(clip, bright, tmp_path, monkeypatch):
    monkeypatch.setattr(
        Video, "damage", property(lambda video: f"{str(video.path)!r} ends after 5 of 9 frames")
    )
    watched = watch(bright, clip, tmp_path / "out.webm", look=Look(), limits=Limits())
    assert watched.damage == "'clip.avi' ends after 5 of 9 frames"
    assert "ends after 5 of 9 frames." in words.video(watched)
    short = watch(bright, clip, tmp_path / "b.webm", look=Look(), limits=Limits(frames=2))
    assert short.damage is None, "the rest was not asked for"
