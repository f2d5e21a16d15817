"""Panels of predictions."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

import toys
from segdistill.core import SegDistillError
from segdistill.export import Prediction, TorchPredictor
from segdistill.report.visuals import draw, save_panels
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multiclass, Multilabel


def network(task):
    return TorchPredictor(Tapped(toys.tiny_net(task.channels)), task)


def test_the_first_images_of_a_set_are_drawn_by_name(tmp_path):
    files = save_panels(network(Binary()), toys.Discs(5), tmp_path / "near", count=2)
    assert [file.name for file in files] == ["disc_00.png", "disc_01.png"]
    assert cv2.imread(str(files[0])).shape[1] == 4 * 32 + 5 * 8


class Stripes:
    """Finds every other column."""

    classes = ("background", "polyp")

    def __call__(self, image):
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[:, ::2] = 1
        return Prediction(mask, mask.astype(np.float32))


def test_errors_are_in_colour():
    samples = toys.Discs(1)
    panel = draw(Stripes(), samples, "disc_00")
    truth, found, wrong = (panel[-40:-8, 8 + 40 * n : 40 + 40 * n] for n in (1, 2, 3))
    truth, found = truth[..., 0] > 0, found[..., 0] > 0
    assert truth.sum() == samples[0]["mask"].sum()
    colours = [
        {*map(tuple, wrong[where].tolist())} for where in (truth & ~found, found & ~truth, truth & found)
    ]
    assert colours == [{(86, 180, 233)}, {(230, 159, 0)}, {(242, 242, 242)}]


def test_classes_are_in_colour_and_several_labels_are_refused():
    assert draw(network(Multiclass(("a", "b", "c"))), toys.Discs(1), "disc_00").any()
    with pytest.raises(SegDistillError, match="one label per pixel"):
        draw(network(Multilabel(("a", "b"))), toys.Discs(1), "disc_00")
    assert torch.is_grad_enabled()
