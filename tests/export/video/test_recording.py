from __future__ import annotations

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.export.video import Recorder, Video
from segdistill.export.video.recording import FORMATS


@pytest.mark.parametrize(("size", "stored"), [((48, 64), (48, 64)), ((49, 65), (50, 66))])
def test_what_was_written_can_be_read_and_odd_sides_grow_by_one(tmp_path, size, stored):
    recorder = Recorder(tmp_path / "a.mp4", size, fps=12.5)
    for _ in range(3):
        recorder.write(np.full((*size, 3), (200, 30, 30), np.uint8))
    recorder.close()
    video = Video(tmp_path / "a.mp4")
    assert (video.size, video.fps, video.expected) == (stored, 12.5, 3)
    np.testing.assert_allclose(next(iter(video))[-1, -1], (200, 30, 30), atol=12)


def test_a_rate_finer_than_the_codec_can_count_is_rounded(tmp_path):
    recorder = Recorder(tmp_path / "a.mp4", (48, 64), fps=1000 / 15)
    recorder.write(np.zeros((48, 64, 3), np.uint8))
    recorder.close()
    assert Video(tmp_path / "a.mp4").fps == pytest.approx(66.67)


def test_a_codec_that_is_not_there_is_one_sentence(tmp_path, monkeypatch, capfd):
    monkeypatch.setitem(FORMATS, ".mp4", FORMATS[".mp4"]._replace(codec="av01"))
    with pytest.raises(SegDistillError, match=r"cannot write MPEG-4 video .* leave the overlay out"):
        Recorder(tmp_path / "a.mp4", (48, 64), fps=10)
    assert capfd.readouterr().err == ""


def test_a_kind_of_video_that_is_not_written_is_named(tmp_path):
    with pytest.raises(SegDistillError, match=r"'\.avi'.*\.mp4"):
        Recorder(tmp_path / "a.avi", (48, 64), fps=10)


def test_a_recording_that_lost_frames_is_noticed(tmp_path):
    recorder = Recorder(tmp_path / "a.mp4", (48, 64), fps=10)
    recorder.write(np.zeros((48, 64, 3), np.uint8))
    recorder._count += 1  # OpenCV says nothing about a frame that found no space
    with pytest.raises(OSError, match="incomplete, most likely for want of space"):
        recorder.close()
