from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from segdistill.report.comparison.differences import intervals
from segdistill.report.gain import gain
from segdistill.report.runs import RunSummary


def summary(scores, tmp_path):
    dice = {f"image_{i}": value for i, value in enumerate(scores)}
    return RunSummary("x", "", tmp_path, scores={"Kvasir": {"dice": dice}})


def test_the_gain_is_the_mean_paired_difference(tmp_path):
    found = gain([summary([0.5, 0.6, 0.7], tmp_path)], [summary([0.6, 0.6, 0.6], tmp_path)], "Kvasir")
    assert found.images == 3
    assert found.difference == pytest.approx(0)
    assert (found.better, found.worse) == (1, 1)
    assert found.low < 0 < found.high


def test_a_constant_gain_has_no_width(tmp_path):
    rng = np.random.default_rng(0).random(50)
    found = gain([summary(rng, tmp_path)], [summary(rng + 0.01, tmp_path)], "Kvasir")
    assert (found.low, found.high) == pytest.approx((0.01, 0.01))


def test_only_images_that_both_scored_count(tmp_path):
    found = gain([summary([0.5] * 9, tmp_path)], [summary([0.5] * 4 + [float("nan")], tmp_path)], "Kvasir")
    assert found.images == 4


def test_an_image_is_better_or_worse_by_its_mean_over_seeds(tmp_path):
    baseline = [summary([0.4, 0.8], tmp_path), summary([0.6, 0.8], tmp_path)]
    found = gain(baseline, [summary([0.5, 0.8], tmp_path)], "Kvasir")
    assert found.difference == pytest.approx(0)
    assert found.better == found.worse == 0


def test_where_one_side_was_trained_once_the_interval_is_over_images_alone(tmp_path):
    baseline = [summary([0.4] * 9, tmp_path), summary([0.6] * 9, tmp_path)]
    found = gain(baseline, [summary([0.5] * 9, tmp_path)], "Kvasir")
    assert found.seeds == 1
    assert (found.low, found.high) == pytest.approx((0, 0))


def test_seeds_that_are_no_pairs_vary_by_themselves(tmp_path):
    before, after = (
        [summary([level] * 9, tmp_path) for level in levels] for levels in ((0.4, 0.6), (0.5, 0.6, 0.7))
    )
    found = gain(before, after, "Kvasir")
    assert (found.seeds, found.difference) == (2, pytest.approx(0.1))
    # As in Welch's test: variances of the means 0.01 with 1 degree of freedom and 0.01 / 3 with 2.
    reach = stats.t.ppf(0.975, 32 / 19) * np.sqrt(0.04 / 3)
    assert (found.low, found.high) == pytest.approx((0.1 - reach, 0.1 + reach))


@pytest.mark.parametrize("others", [[], [0.5]])
def test_without_two_common_images_there_is_no_gain(others, tmp_path):
    assert gain([summary([0.5, 0.5], tmp_path)], [summary(others, tmp_path)], "Kvasir") is None
    assert gain([], [summary([0.5, 0.5], tmp_path)], "Kvasir") is None


def interval(differences, **options):
    [(found, _)] = intervals(differences[None, :, None], **options)
    return found


def test_the_interval_agrees_with_the_normal_one_on_many_images():
    x = np.random.default_rng(0).normal(0.02, 0.1, 400)
    low, high = interval(x)
    half = 1.96 * x.std(ddof=1) / 20
    assert low == pytest.approx(x.mean() - half, abs=0.0008)
    assert high == pytest.approx(x.mean() + half, abs=0.0008)


def test_the_interval_holds_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [interval(rng.normal(0.3, 1, 60), draws=600) for _ in range(200)]
    share = np.mean([low <= 0.3 <= high for low, high in found])
    assert 0.89 <= share <= 0.99
