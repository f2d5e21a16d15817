from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.export.video import Video, frames


@pytest.mark.parametrize(("name", "codec"), [("c.mp4", "mp4v"), ("c.avi", "MJPG"), ("c.mkv", "mp4v")])
def test_every_frame_comes_once_and_in_order(film, name, codec):
    video = Video(film(name, codec=codec))
    assert (video.fps, video.expected, video.size) == (10, 6, (48, 64))
    read = list(video)
    assert [frame.shape for frame in read] == [(48, 64, 3)] * 6
    left = [int(np.flatnonzero(frame[20, :, 0] > 140)[0]) for frame in read]
    assert left == pytest.approx([8, 10, 12, 14, 16, 18], abs=1)
    assert video.damage is None


def test_frames_are_red_green_blue(tmp_path):
    red = Image.new("RGB", (33, 25), (200, 10, 10))
    red.save(tmp_path / "red.gif", save_all=True, append_images=[Image.new("RGB", (33, 25), (10, 10, 200))])
    first, second = frames(tmp_path / "red.gif")
    assert first.shape == (25, 33, 3)
    np.testing.assert_allclose(first[5, 5], (200, 10, 10), atol=3)
    np.testing.assert_allclose(second[5, 5], (10, 10, 200), atol=3)


def test_frames_of_a_turned_recording_come_upright(film):
    path = film("phone.mp4", codec="mp4v")
    content = bytearray(path.read_bytes())
    matrix = content.find(b"tkhd") + 44  # 4 of the name, 4 of version and flags, 36 of times and places
    quarter = np.array([0, 1 << 16, 0, -1 << 16, 0, 0, 48 << 16, 0, 1 << 30], ">i4")
    content[matrix : matrix + 36] = quarter.tobytes()
    path.write_bytes(content)
    assert next(frames(path)).shape == (64, 48, 3)


def test_a_varying_frame_rate_is_no_damage(tmp_path):
    first, *others = (Image.new("RGB", (32, 32), (value, 0, 0)) for value in range(0, 250, 50))
    delays = [20, 500, 20, 1000, 2000]
    first.save(tmp_path / "slow.gif", save_all=True, append_images=others, duration=delays)
    assert len(list(frames(tmp_path / "slow.gif"))) == 5


@pytest.mark.parametrize("content", [b"", b"hello"])
def test_a_file_that_is_no_video_is_one_sentence(tmp_path, capfd, content):
    (tmp_path / "note.mp4").write_bytes(content)
    with pytest.raises(SegDistillError, match=r"Cannot read '.*note\.mp4': it is no video that OpenCV can"):
        next(frames(tmp_path / "note.mp4"))
    assert capfd.readouterr().err == ""


def test_a_picture_with_the_ending_of_a_video_is_no_video_of_one_frame(tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "a.mp4", format="JPEG")
    with pytest.raises(SegDistillError, match=r"a\.mp4' is a JPEG image and no video"):
        Video(tmp_path / "a.mp4")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SegDistillError, match=r"no video file .*gone\.mp4"):
        Video(tmp_path / "gone.mp4")


def test_a_video_without_frames_is_one_sentence(film):
    path = film("c.mkv", codec="mp4v")
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"\x1f\x43\xb6\x75") + 40])  # within the first frame
    with pytest.raises(SegDistillError, match=r"c\.mkv': the video holds no frame"):
        Video(path)


def test_a_video_that_was_cut_off_gives_its_frames_then_says_so(film):
    path = film(frames=30)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 7 // 10])
    read = []
    with pytest.raises(
        SegDistillError, match=r"clip\.avi' ends after \d+ of 30 frames: it is damaged"
    ) as error:
        read.extend(frames(path))
    assert 0 < len(read) < 29
    assert f"after {len(read)} of" in str(error.value)


def test_reading_leaves_the_log_level_as_it_was(film):
    before = cv2.utils.logging.getLogLevel()
    Video(film())
    assert cv2.utils.logging.getLogLevel() == before
