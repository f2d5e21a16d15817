"""A predictor that needs no training, and pictures to predict."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from segdistill.export import Prediction


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
