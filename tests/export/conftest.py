"""A predictor that needs no training, and pictures to predict."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segdistill.export import Prediction
from segdistill.export.video.reading import quiet


class Brightness:
    """Finds what is brighter than half; works without torch."""

    classes = ("background", "bright")

    def __call__(self, image):
        probability = image.mean(axis=2).astype(np.float32) / 255
        return Prediction((probability > 0.5).astype(np.uint8), probability)


@pytest.fixture
def predictor():
    return Brightness()


@pytest.fixture
def picture(tmp_path):
    """Writes a dark picture with a bright square and gives its path."""

    def write(name="images/a.png", size=(20, 30)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((*size, 3), 40, np.uint8)
        image[5:10, 5:15] = 200
        cv2.imwrite(str(path), image)
        return path

    return write


@pytest.fixture
def film(tmp_path):
    """Writes a bright square that moves two pixels a frame over a dark texture, and gives the file's path."""

    def write(name="clip.avi", frames=6, *, codec="MJPG", size=(48, 64)):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fourcc = cv2.VideoWriter.fourcc(*codec)
        with quiet():
            writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, fourcc, 10, (size[1], size[0]))
        assert writer.isOpened()
        for picture in squares(frames, size):
            writer.write(picture)
        writer.release()
        return path

    return write


def squares(frames, size):
    """Pictures of that square."""
    texture = np.random.default_rng(0).integers(0, 60, (size[0], size[1] + 2 * frames), np.uint8)
    for index in range(frames):
        picture = np.repeat(texture[:, 2 * (frames - index) :][:, : size[1], None], 3, axis=2)
        picture[12:28, 8 + 2 * index : 24 + 2 * index] = 220
        yield np.ascontiguousarray(picture)
