"""The interval of a gain: how often it holds the truth, and how wide it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.interval import interval

SEEDS, IMAGES = 3, 162


def intervals(*, of_seeds=0.0, of_images=0.0, of_both=0.05, runs=400):
    """Intervals of many benchmarks whose truth is zero, by the deviations of what is by chance."""
    rng = np.random.default_rng(0)
    differences = (
        of_seeds * rng.normal(size=(runs, SEEDS, 1))
        + of_images * rng.normal(size=(runs, 1, IMAGES))
        + of_both * rng.normal(size=(runs, SEEDS, IMAGES))
    )
    return np.array([interval(each) for each in differences])


@pytest.mark.parametrize(
    "chance",
    [{"of_seeds": 0.012, "of_both": 0.0}, {"of_seeds": 0.012, "of_images": 0.1}, {"of_images": 0.1}],
)
def test_three_seeds_hold_the_truth_as_often_as_they_say(chance):
    low, high = intervals(**chance).T
    assert 0.93 <= ((low <= 0) & (high >= 0)).mean() <= 0.97


def test_where_seeds_agree_the_images_alone_decide():
    truth = 2 * 1.96 * math.sqrt(0.1**2 / IMAGES + 0.05**2 / (SEEDS * IMAGES))
    assert np.diff(intervals(of_images=0.1, runs=50)).mean() == pytest.approx(truth, rel=0.1)


def test_one_lucky_seed_of_three_is_no_gain():
    low, high = interval(np.array([[0.3] * 50, [0.0] * 50, [0.0] * 50]))
    assert (low, high) == (
        pytest.approx(0.1 - 4.303 * 0.1, abs=1e-3),
        pytest.approx(0.1 + 4.303 * 0.1, abs=1e-3),
    )


def test_equal_differences_leave_nothing_to_chance():
    assert interval(np.full((3, 50), 0.1)) == (pytest.approx(0.1), pytest.approx(0.1))


@pytest.mark.parametrize("shape", [(1, 50), (3, 1)])
def test_a_single_seed_or_image_has_no_interval(shape):
    assert interval(np.zeros(shape)) is None
