from __future__ import annotations

import json

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.export import Prediction, Stability

TEXTURE = np.random.default_rng(0).integers(0, 255, (64, 96, 1), np.uint8).repeat(3, axis=2)
TEXTURE = TEXTURE.repeat(2, axis=0).repeat(2, axis=1)[:64, :96]
BINARY = ("background", "polyp")


def square(column, *, side=8):
    mask = np.zeros((64, 64), np.uint8)
    mask[20 : 20 + side, column : column + side] = 1
    return mask


def measured(masks, frames=None, classes=BINARY):
    steady = Stability(classes)
    for index, mask in enumerate(masks):
        frame = np.ascontiguousarray(TEXTURE[:, :64]) if frames is None else frames[index]
        steady.update(frame, Prediction(mask, mask.astype(np.float32)))
    summary = steady.summary()
    json.dumps(summary, allow_nan=False)
    return summary


def polyp(masks, frames=None):
    return measured(masks, frames)["classes"]["polyp"]


EMPTY = np.zeros((64, 64), np.uint8)


def test_a_mask_that_stays_is_perfectly_steady():
    steady = polyp([square(8)] * 4)
    assert steady["iou"] == steady["dice_compensated"] == {"mean": 1, "p5": 1}
    assert (steady["flicker"], steady["area_change_percent"], steady["found"]) == (0, 0, 1)


def test_a_mask_that_jumps_scores_as_by_hand():
    jumped = polyp([square(8), square(12), square(12, side=4)])
    # Half of a square of 64 pixels stays: 32 of 96 and 2 * 32 of 128; then 16 of 64 and 2 * 16 of 80.
    assert jumped["iou"]["mean"] == pytest.approx((1 / 3 + 1 / 4) / 2)
    assert jumped["dice"]["mean"] == pytest.approx((1 / 2 + 2 / 5) / 2)
    assert jumped["iou"]["p5"] == pytest.approx(np.percentile([1 / 3, 1 / 4], 5))
    assert jumped["area_change_percent"] == pytest.approx((0 + 75) / 2)


def test_a_mask_that_moves_with_the_picture_is_steady_only_after_compensation():
    # The camera pans by three pixels a frame; the lesion stays where it is on the wall.
    frames = [np.ascontiguousarray(TEXTURE[:, 3 * k : 3 * k + 64]) for k in range(5)]
    summary = measured([square(40 - 3 * k) for k in range(5)], frames)
    panned = summary["classes"]["polyp"]
    assert panned["iou"]["mean"] == pytest.approx(5 / 11)
    assert panned["iou_compensated"]["mean"] > 0.95
    assert summary["motion"]["shift_pixels"] == pytest.approx(3, abs=0.1)
    assert summary["motion"]["grey_change_compensated"] < 0.2 * summary["motion"]["grey_change"]


def test_a_mask_that_stays_while_the_picture_moves_is_not_steady_after_compensation():
    frames = [np.ascontiguousarray(TEXTURE[:, 3 * k : 3 * k + 64]) for k in range(4)]
    stuck = polyp([square(30)] * 4, frames)
    assert stuck["iou"]["mean"] == 1
    assert stuck["iou_compensated"]["mean"] == pytest.approx(5 / 11, abs=0.05)


def test_what_the_camera_newly_shows_counts_nowhere():
    frames = [np.ascontiguousarray(TEXTURE[:, 3 * k : 3 * k + 64]) for k in range(2)]
    came_in = square(62)
    assert polyp([EMPTY, came_in], frames)["iou"]["mean"] == 0
    assert polyp([EMPTY, came_in], frames)["iou_compensated"]["mean"] is None


def test_pairs_in_which_nothing_is_found_are_left_out_and_counted():
    half = polyp([EMPTY, EMPTY, square(8), square(8)])
    assert half["iou"]["mean"] == pytest.approx(1 / 2)  # appears: 0, stays: 1
    assert (half["pairs"], half["empty_pairs"], half["found"]) == (2, 1, 0.5)


def test_a_network_that_finds_nothing_is_not_called_steady():
    blind = polyp([EMPTY] * 4)
    assert blind["iou"] == blind["iou_compensated"] == {"mean": None, "p5": None}
    assert (blind["area_change_percent"], blind["flicker"], blind["found"]) == (None, 0, 0)


def test_flicker_is_appearing_or_vanishing_for_one_frame_only():
    seen = square(8)
    assert polyp([seen, EMPTY, seen, seen, EMPTY, EMPTY])["flicker"] == pytest.approx(1 / 4)
    assert polyp([EMPTY, seen, EMPTY])["flicker"] == 1
    assert polyp([seen, EMPTY])["flicker"] is None


def test_every_class_but_the_background_has_numbers_of_its_own():
    masks = [square(8) + 2 * square(30), square(8) + 2 * square(34)]
    found = measured(masks, classes=("background", "cup", "disc"))["classes"]
    assert list(found) == ["cup", "disc"]
    assert (found["cup"]["iou"]["mean"], found["disc"]["iou"]["mean"]) == (1, pytest.approx(1 / 3))


def test_labels_that_may_overlap_are_measured_one_by_one():
    masks = [np.stack([square(8), square(8)]), np.stack([square(8), square(12)])]
    found = measured(masks, classes=("liver", "tumour"))["classes"]
    assert (found["liver"]["iou"]["mean"], found["tumour"]["iou"]["mean"]) == (1, pytest.approx(1 / 3))


def test_one_frame_has_an_area_and_nothing_to_compare():
    summary = measured([square(8)])
    assert summary["per_frame"]["polyp"] == {"area": [64], "iou": [None], "iou_compensated": [None]}
    assert summary["motion"]["shift_pixels"] is None


def test_frames_of_several_sizes_are_refused():
    steady = Stability(BINARY)
    steady.update(np.zeros((64, 64, 3), np.uint8), Prediction(EMPTY, EMPTY.astype(np.float32)))
    with pytest.raises(SegDistillError, match=r"one size, got \(32, 64\) after \(64, 64\)"):
        steady.update(np.zeros((32, 64, 3), np.uint8), Prediction(EMPTY[:32], EMPTY[:32].astype(np.float32)))
