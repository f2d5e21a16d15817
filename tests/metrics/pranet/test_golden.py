"""The original Python evaluator's own numbers, of images and of data sets."""

from __future__ import annotations

import math

import numpy as np
import pytest

from metrics.pranet.pairs import CURVES, RECORDED, read, recorded_curve, scored
from segdistill.metrics.pranet import PRANET_PY

EXACT = [key for key in CURVES if key != "em"]
SHORT = {"dice": "Dic", "iou": "IoU", "sen": "Sen", "spe": "Spe", "em": "Em"}
#: With something to find, and something else: nothing is undefined here.
USUAL = [name for name in RECORDED if "empty_gt" not in name and "full_gt" not in name]


@pytest.mark.parametrize("name", RECORDED)
def test_curves_are_the_recorded_ones_to_the_bit(name):
    curves = scored(PRANET_PY, read(name)).curves()
    for key in EXACT:
        np.testing.assert_array_equal(curves[CURVES[key]], recorded_curve(name, key), err_msg=key)
    np.testing.assert_allclose(curves["emeasure"], recorded_curve(name, "em"), rtol=0, atol=1e-15)


@pytest.mark.parametrize("name", RECORDED)
def test_single_scores_are_the_recorded_ones(name):
    row, recorded = scored(PRANET_PY, read(name)).rows[0], RECORDED[name]
    for key, theirs in (("Sm", "Sm"), ("wFm", "wFm"), ("mae", "MAE")):
        expected = float(recorded[theirs])
        assert row[key] == (None if math.isnan(expected) else pytest.approx(expected, rel=0, abs=1e-12))


@pytest.mark.parametrize("name", RECORDED)
def test_means_and_maxima_of_an_image_are_the_recorded_ones(name):
    row, recorded = scored(PRANET_PY, read(name)).rows[0], RECORDED[name]
    for which, values in (("mean", recorded["mean_over_thr"]), ("max", recorded["max_over_thr"])):
        for key, short in SHORT.items():
            expected, tolerance = float(values[key]), 1e-15 if key == "em" else 0
            got = row[which + short]
            assert math.isnan(expected) if got is None else abs(got - expected) <= tolerance, which + short


def test_a_data_set_is_averaged_over_images_first_to_the_bit():
    metric = PRANET_PY.metric()
    for name in reversed(USUAL):
        predicted, truth = read(name)
        metric.update([predicted], [truth], [name])
    result, curves = metric.compute(), metric.curves()
    for key, short in SHORT.items():
        column = np.mean(np.array([recorded_curve(name, key) for name in sorted(USUAL)]), axis=0)
        tolerance = 1e-15 if key == "em" else 0
        np.testing.assert_allclose(curves[CURVES[key]], column, rtol=0, atol=tolerance)
        assert abs(result[f"mean{short}"] - np.mean(column)) <= tolerance
        assert abs(result[f"max{short}"] - np.max(column)) <= tolerance
    for key, theirs in (("Sm", "Sm"), ("wFm", "wFm"), ("mae", "MAE")):
        assert result[key] == pytest.approx(np.mean([RECORDED[name][theirs] for name in USUAL]), rel=1e-12)


def test_what_is_undefined_is_left_out_and_counted():
    result = scored(PRANET_PY, *map(read, RECORDED)).compute()
    assert result["images"] == len(RECORDED)
    assert result["empty_images"] == 2
    weighted = [float(case["wFm"]) for case in RECORDED.values()]
    assert result["wFm"] == pytest.approx(np.nanmean(weighted), rel=1e-12)
    specific = np.mean([recorded_curve(name, "spe") for name in RECORDED if "full_gt" not in name], axis=0)
    assert result["meanSpe"] == pytest.approx(np.mean(specific), rel=1e-12)
    dice = np.mean([recorded_curve(name, "dice") for name in RECORDED], axis=0)
    assert result["meanDic"] == np.mean(dice)  # an empty ground truth counts 0, as in the original
    assert [note for note in result["notes"] if "image" in note.split(":")[0]][-3:] == [
        "2 images with nothing to find: Dice, IoU, sensitivity and specificity count 0 there, whatever was predicted",
        "wFm is undefined for 2 images (nothing to find) and left out of its mean",
        "specificity is undefined for 1 image (nothing but foreground) and left out of its mean",
    ]


def test_a_perfect_binary_map_does_not_score_one_and_the_notes_say_so():
    result = scored(PRANET_PY, read("09_perfect")).compute()
    assert round(result["meanDic"], 4) == 0.9969
    assert result["maxDic"] == 1
    assert any(".9969" in note for note in result["notes"])
