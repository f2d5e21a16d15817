from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.distance import cdist

from segdistill.metrics.volumes import LITS

from .shapes import SPACING, labels


def metric(*pairs):
    metric = LITS.metric()
    for number, (predicted, target) in enumerate(pairs):
        metric.update([predicted], [target], [f"volume-{number}"], spacing=SPACING)
    return metric


def line(*labels):
    return np.array([[labels]])


def test_overlap_is_counted_per_case_and_over_all_voxels():
    scores = metric((line(1, 1, 1, 0), line(1, 1, 1, 1)), (line(1, 0, 0, 0), line(0, 1, 0, 0))).compute()
    assert scores["liver_dice"] == pytest.approx((6 / 7 + 0) / 2)
    assert scores["liver_dice_global"] == pytest.approx(2 * 3 / (4 + 5))
    assert scores["liver_jaccard"] == pytest.approx((3 / 4 + 0) / 2)
    assert scores["liver_voe"] == pytest.approx(1 - 3 / 8)
    assert scores["liver_rvd"] == pytest.approx((3 / 4 - 1 + 0) / 2)


def test_distances_are_those_of_heimann_over_the_18_neighbourhood():
    predicted, target = labels(0, 3), labels(5, 3)
    row = metric((predicted, target)).rows[0]
    edges = []
    for mask in (predicted >= 1, target >= 1):
        inner = ndimage.binary_erosion(mask, ndimage.generate_binary_structure(3, 2))
        edges.append(np.argwhere(mask & ~inner) * SPACING)
    pairs = cdist(*edges)
    both = np.concatenate([pairs.min(axis=0), pairs.min(axis=1)])
    assert row["liver_assd"] == pytest.approx(both.mean())
    assert row["liver_msd"] == pytest.approx(both.max())


def test_lesions_are_counted_over_all_cases():
    one = line(2, 2, 1, 2, 1, 2), line(2, 2, 1, 2, 1, 1)
    other = line(1, 1, 1, 1, 1, 1), line(2, 1, 1, 2, 1, 1)
    scores = metric(one, other).compute()
    assert scores["lesion_precision"] == pytest.approx(2 / 3)
    assert scores["lesion_recall"] == pytest.approx(2 / 4)


def test_tumour_burden_is_the_share_of_the_liver():
    scores = metric((line(2, 1, 1, 1), line(2, 2, 1, 1)), (line(1, 1, 1, 1), line(1, 1, 1, 2))).compute()
    assert scores["tumour_burden_error"] == pytest.approx(-0.25)
    assert scores["tumour_burden_rmse"] == pytest.approx(0.25)
    assert scores["tumour_burden_max_error"] == pytest.approx(0.25)


def test_a_missing_mask_is_no_distance_of_zero():
    scores = metric((line(1, 1, 1), line(1, 2, 1)), (line(1, 2, 1), line(1, 2, 1))).compute()
    assert scores["tumour_dice"] == 0.5
    assert scores["tumour_assd"] == 0  # of the other case alone
    assert scores["spread"]["tumour_assd"]["cases"] == scores["spread"]["tumour_assd"]["left_out"] == 1
    assert scores["affected"]["tumour"]["predicted"] == 1


def test_a_case_without_tumour_counts_one_if_none_is_made_up():
    scores = metric((line(1, 1, 0), line(1, 1, 0)), (line(1, 2, 0), line(1, 1, 0))).compute()
    assert scores["tumour_dice"] == 0.5
    assert scores["empty_cases"] == 2
    assert scores["tumour_rvd"] is None
    assert scores["lesion_recall"] is None
    assert scores["lesion_precision"] == 0


def test_a_case_without_liver_has_no_burden():
    scores = metric((line(0, 0, 0), line(1, 2, 0))).compute()
    assert scores["tumour_burden_error"] is None
    assert scores["tumour_burden_rmse"] is None
    assert scores["spread"]["tumour_burden_error"]["left_out"] == 1
    assert math.isfinite(scores["liver_dice"])
