from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.metrics.volumes import CASE_3D, SLICE_2D
from segdistill.tasks import Binary, Multiclass, Multilabel

from .shapes import SPACING, blob


def score(predicted, target, protocol=CASE_3D, task=None):
    metric = protocol.metric(task)
    metric.update([predicted], [target], ["a"], spacing=SPACING)
    return metric.compute()


def test_a_case_has_all_columns_for_every_label():
    target = blob(0) + blob(0, shift=20).astype(int) * 2
    target[target > 2] = 2
    metric = CASE_3D.metric(Multiclass(("background", "liver", "spleen")))
    metric.update([np.roll(target, 1, axis=1)], [target], ["a"], spacing=SPACING)
    (row,) = metric.rows
    for label in ("liver", "spleen"):
        assert 0.5 < row[f"{label}_dice"] < 1
        assert 0 < row[f"{label}_nsd"] <= 1
        assert row[f"{label}_hd95_edge"] == pytest.approx(0.8)
        assert row[f"{label}_hd95_surfel"] == pytest.approx(0.8)
        assert row[f"{label}_volume_ml"] == pytest.approx((target == 1 + (label == "spleen")).sum() * 1.4e-3)


def test_volume_errors_keep_their_sign_and_have_a_size():
    metric = CASE_3D.metric(Binary())
    full = np.ones((2, 4, 4), dtype=np.uint8)
    half = full.copy()
    half[0] = 0
    metric.update([full, half], [half, full], ["more", "less"], spacing=(10, 5, 5))
    scores = metric.compute()
    assert [row["foreground_volume_error_ml"] for row in metric.rows] == [-4, 4]
    assert scores["foreground_volume_error_ml"] == 0
    assert scores["foreground_absolute_volume_error_ml"] == 4


def test_without_a_task_labels_are_taken_as_they_come():
    metric = CASE_3D.metric()
    first, second = np.full((2, 2, 2), 3), np.full((2, 2, 2), 7)
    metric.update([first, second], [first, second], ["a", "b"], spacing=SPACING)
    scores = metric.compute()
    assert scores["label_3_dice"] == scores["label_7_dice"] == 1
    assert scores["affected"]["label_3"]["both"] == scores["affected"]["label_7"]["both"] == 1
    first, second = metric.rows
    assert list(first) == list(second)


@pytest.mark.parametrize("protocol", [CASE_3D, SLICE_2D], ids=lambda protocol: protocol.name)
def test_a_label_that_was_made_up_never_raises_a_headline(protocol):
    def of_three(made_up):
        metric = protocol.metric()
        for index in range(3):
            predicted = blob(index, shift=3).astype(np.uint8)
            if made_up and not index:
                predicted[0, 0, 0] = 7
            metric.update([predicted], [blob(index)], [f"case_{index}"], spacing=SPACING)
        return metric.compute()

    clean, made_up = of_three(False), of_three(True)
    assert {key: made_up[key] for key in protocol.headline} == {key: clean[key] for key in protocol.headline}
    assert made_up["notes"][-1].endswith("no true volume, not scored: label_7 (in 1).")
    assert made_up["notes"][:-1] == clean["notes"]


def test_a_label_that_only_some_true_volumes_have_is_scored_everywhere():
    metric = CASE_3D.metric()
    full, none = np.ones((2, 2, 2), dtype=int), np.zeros((2, 2, 2), dtype=int)
    metric.update([full, full], [full, none], ["has", "has not"], spacing=SPACING)
    assert metric.compute()["dice"] == 0.5


@pytest.mark.parametrize("value", [0, 7])
def test_true_volumes_without_any_label_are_empty_cases_and_no_score(value):
    found = score(np.full((2, 2, 2), value), np.zeros((2, 2, 2), dtype=int))
    assert (found["dice"], found["cases"], found["empty_cases"]) == (None, 1, 1)


def test_an_infinite_distance_is_left_out_and_counted():
    metric = CASE_3D.metric(Binary())
    true = blob(0)
    metric.update([true & False, true], [true, true], ["missed", "found"], spacing=SPACING)
    scores = metric.compute()
    assert scores["foreground_dice"] == scores["foreground_nsd"] == 0.5
    assert scores["foreground_hd95_edge"] == scores["foreground_hd95_surfel"] == 0
    assert scores["spread"]["foreground_hd95_edge"]["left_out"] == 1
    assert scores["affected"]["foreground"] == {"both": 0, "predicted": 1, "target": 0}


def test_what_nobody_has_counts_one_or_is_skipped():
    none = np.zeros((2, 2, 2), dtype=int)
    kits = score(none, none, task=Binary())
    skip = score(none, none, replace(CASE_3D, empty="skip"), task=Binary())
    assert kits["foreground_dice"] == kits["foreground_nsd"] == 1
    assert skip["foreground_dice"] is skip["foreground_nsd"] is None
    assert kits["empty_cases"] == skip["empty_cases"] == 1
    assert kits["foreground_hd95_edge"] is None


def test_the_tolerance_is_part_of_the_protocol():
    target, predicted = blob(0), blob(0, shift=2)
    near, far = (score(predicted, target, replace(CASE_3D, tolerance=t)) for t in (1.0, 1.4))
    assert near["label_1_nsd"] < far["label_1_nsd"]
    with pytest.raises(SegDistillError, match="length in millimetres, got -1"):
        replace(CASE_3D, tolerance=-1)
    with pytest.raises(SegDistillError, match="Unknown rule for empty masks 'kit'. Did you mean 'kits'"):
        replace(CASE_3D, empty="kit")


def test_several_labels_per_voxel_are_refused():
    with pytest.raises(SegDistillError, match="'case-3d' scores one label per voxel"):
        CASE_3D.metric(Multilabel(("polyp", "tool")))
