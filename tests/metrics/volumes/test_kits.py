from __future__ import annotations

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.metrics.volumes import KITS19, KITS23
from segdistill.tasks import Binary, Multiclass

from .shapes import SPACING, labels


def score(protocol, predicted, target):
    metric = protocol.metric()
    metric.update([predicted], [target], ["case_00000"], spacing=SPACING)
    return metric.compute()


def test_kits19_scores_the_kidney_with_its_tumour_and_the_tumour():
    predicted, target = np.array([[[0, 1, 1, 2, 0]]]), np.array([[[0, 1, 2, 2, 2]]])
    scores = score(KITS19, predicted, target)
    assert scores["kidney_dice"] == pytest.approx(2 * 3 / 7)
    assert scores["tumour_dice"] == pytest.approx(2 * 1 / 4)
    assert scores["dice"] == pytest.approx((6 / 7 + 1 / 2) / 2)


def test_kits19_needs_no_spacing():
    metric = KITS19.metric()
    metric.update([np.ones((1, 2, 2), dtype=int)], [np.ones((1, 2, 2), dtype=int)], ["a"])
    assert metric.compute()["kidney_dice"] == 1


@pytest.mark.filterwarnings("ignore:Please import:DeprecationWarning")  # of the package itself
def test_kits23_scores_the_hierarchy_by_the_official_tolerances():
    reference = pytest.importorskip("surface_distance")
    predicted, target = labels(0, 4), labels(5, 4)
    scores = score(KITS23, predicted, target)
    hierarchy = {
        "kidney": ((1, 2, 3), 1.0330772532390826),
        "mass": ((2, 3), 1.1328796488598762),
        "tumour": ((2,), 1.1498198361434828),
    }
    for name, (which, tolerance) in hierarchy.items():
        p, t = np.isin(predicted, which), np.isin(target, which)
        distances = reference.compute_surface_distances(t, p, SPACING)
        expected = reference.compute_surface_dice_at_tolerance(distances, tolerance)
        assert scores[f"{name}_surface_dice"] == pytest.approx(expected, rel=1e-12)
        assert scores[f"{name}_dice"] == pytest.approx(reference.compute_dice_coefficient(t, p))


@pytest.mark.parametrize("protocol", [KITS19, KITS23], ids=lambda protocol: protocol.name)
def test_what_is_nowhere_counts_one_and_what_is_in_one_volume_zero(protocol):
    tumour, kidney = np.full((2, 2, 2), 2), np.full((2, 2, 2), 1)
    assert score(protocol, kidney, kidney)["tumour_dice"] == 1
    missed, made_up = score(protocol, kidney, tumour), score(protocol, tumour, kidney)
    assert missed["tumour_dice"] == made_up["tumour_dice"] == 0
    assert missed["affected"]["tumour"] == {"both": 0, "predicted": 1, "target": 0}
    assert made_up["affected"]["tumour"] == {"both": 0, "predicted": 0, "target": 1}
    if protocol is KITS23:
        assert score(protocol, kidney, kidney)["tumour_surface_dice"] == 1
        assert missed["tumour_surface_dice"] == made_up["tumour_surface_dice"] == 0


def test_a_task_of_other_labels_is_refused():
    with pytest.raises(SegDistillError, match="'kits23' scores the labels background, kidney, tumour, cyst"):
        KITS23.metric(Binary())
    for names in (
        ("background", "kidney", "tumour", "cyst"),
        ("bg", "Kidney", "Tumour", "Cyst"),
        tuple("0123"),
    ):
        assert KITS23.metric(Multiclass(names)).rows == []
    with pytest.raises(
        SegDistillError, match="kidney, tumour, cyst in this order; the task has .*tumour, kidney"
    ):
        KITS23.metric(Multiclass(("background", "tumour", "kidney", "cyst")))
