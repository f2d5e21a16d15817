from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.metrics.volumes import SLICE_2D
from segdistill.tasks import Binary


def score(predicted, target):
    metric = SLICE_2D.metric(Binary())
    metric.update([predicted], [target], ["case_00000"])
    return metric


def test_dice_adds_one_and_knows_only_slices_that_show_something():
    target = np.array([[[1, 1, 0]], [[0, 0, 0]]])
    predicted = np.array([[[1, 0, 0]], [[1, 1, 1]]])
    (row,) = score(predicted, target).rows
    assert row["foreground_dice"] == pytest.approx((2 * 1 + 1) / (1 + 2 + 1))
    assert row["foreground_voe"] == 0
    assert row["foreground_rvd"] == -0.5
    assert row["foreground_slices"] == 1


def test_probabilities_are_cut_above_the_threshold():
    target = np.ones((1, 1, 3), dtype=int)
    (row,) = score(np.array([[[0.4, 0.41, 1.0]]]), target).rows
    assert row["foreground_dice"] == pytest.approx((2 * 2 + 1) / (2 + 3 + 1))


@pytest.mark.parametrize("value", [1.5, -0.1, np.nan])
def test_logits_are_not_probabilities(value):
    with pytest.raises(SegDistillError, match="probabilities of 'case_00000' go from .* apply the softmax"):
        score(np.full((1, 2, 2), value), np.ones((1, 2, 2), dtype=int))


def test_probabilities_of_one_foreground_do_not_meet_two_labels():
    with pytest.raises(SegDistillError, match="probabilities of one foreground, its true volume the label 2"):
        score(np.full((1, 2, 2), 0.5), np.full((1, 2, 2), 2))


def test_cases_without_foreground_are_left_out():
    metric = score(np.ones((1, 2, 2), dtype=int), np.ones((1, 2, 2), dtype=int))
    metric.update([np.ones((1, 2, 2), dtype=int)], [np.zeros((1, 2, 2), dtype=int)], ["empty"])
    scores = metric.compute()
    assert scores["foreground_dice"] == 1
    assert scores["spread"]["foreground_dice"]["left_out"] == scores["empty_cases"] == 1


def test_a_threshold_is_a_probability():
    with pytest.raises(SegDistillError, match="between 0 and 1, got 2"):
        replace(SLICE_2D, threshold=2)
