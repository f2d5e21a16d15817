"""The MATLAB evaluator's definitions; pysodmetrics, which follows them, is the oracle."""

from __future__ import annotations

import numpy as np
import pytest

from metrics.pranet.pairs import PYSOD, read, scored
from segdistill.metrics.pranet import PRANET_MATLAB, PRANET_PY

#: pysodmetrics counts the true specificity where no foreground is hit and the evaluator has 0.
OURS_ALONE = {"meanSpe", "maxSpe"}


@pytest.mark.parametrize("name", PYSOD)
def test_scores_are_those_that_pysodmetrics_recorded(name):
    predicted, truth = read(name)
    row = scored(PRANET_MATLAB, (predicted, truth)).rows[0]
    found = predicted[truth > 128]
    always_hit = found.size and predicted.min() < found.max() == predicted.max()
    for key, expected in PYSOD[name].items():
        if row[key] is None:
            assert (key == "wFm" and not found.size) or (key in OURS_ALONE and found.size == truth.size)
        elif key not in OURS_ALONE or always_hit:
            assert row[key] == pytest.approx(expected, rel=0, abs=1e-12), key


def test_a_recorded_pair_for_every_difference_to_the_python_evaluator_gives_other_scores():
    for name in ("11_grey_gt_rim", "21_stretched_61x47", "22_border_33x58"):
        ours, theirs = (scored(protocol, read(name)).rows[0] for protocol in (PRANET_MATLAB, PRANET_PY))
        assert all(abs(ours[key] - theirs[key]) > 1e-6 for key in ("Sm", "wFm")), name


def test_the_map_is_stretched_to_the_whole_range():
    truth = np.zeros((4, 5), np.uint8)
    truth[1:3, 1:3] = 255
    faint, strong = np.where(truth, 9, 3).astype(np.uint8), truth
    assert scored(PRANET_MATLAB, (faint, truth)).rows == scored(PRANET_MATLAB, (strong, truth)).rows
    assert scored(PRANET_PY, (faint, truth)).rows[0]["meanDic"] < 0.4


def test_a_constant_map_is_not_stretched():
    truth = np.array([[0, 255]], np.uint8)
    row = scored(PRANET_MATLAB, (np.full((1, 2), 51, np.uint8), truth)).rows[0]
    assert row["mae"] == pytest.approx((0.2 + 0.8) / 2)


def test_level_128_is_background_here_and_foreground_in_python():
    truth, predicted = np.array([[0, 128, 129]], np.uint8), np.array([[0, 255, 255]], np.uint8)
    assert scored(PRANET_PY, (predicted, truth)).rows[0]["maxDic"] == 1
    assert scored(PRANET_MATLAB, (predicted, truth)).rows[0]["maxDic"] == pytest.approx(2 / 3)


def test_the_centre_is_rounded_half_up_where_python_rounds_to_even():
    from segdistill.metrics.pranet.rules import MATLAB, PYTHON

    rows = {
        first: 2 * first + 1 for first in range(4)
    }  # two rows, `first` and the next: sum of their indices
    assert [PYTHON.split(total, 2) for total in rows.values()] == [0, 2, 2, 4]
    assert [MATLAB.split(total, 2) for total in rows.values()] == [2, 3, 4, 5]
