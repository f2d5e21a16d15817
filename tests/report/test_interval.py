"""The interval of a mean over seeds and images: how often it holds the truth, and how wide it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from segdistill.report.interval import interval

SEEDS, IMAGES = 3, 162


def intervals(*, seeds=SEEDS, images=IMAGES, of_seeds=0.0, of_images=0.0, of_both=0.05, runs=400):
    """Intervals of many experiments whose truth is zero, by the deviations of what is by chance."""
    rng = np.random.default_rng(0)
    differences = (
        of_seeds * rng.normal(size=(runs, seeds, 1))
        + of_images * rng.normal(size=(runs, 1, images))
        + of_both * rng.normal(size=(runs, seeds, images))
    )
    return np.array([interval(each) for each in differences])


def covered(found):
    low, high = found.T
    return ((low <= 0) & (high >= 0)).mean()


@pytest.mark.parametrize(
    "chance",
    [
        {"of_seeds": 0.012, "of_both": 0.0},
        {"of_seeds": 0.012, "of_images": 0.1},
        {"of_images": 0.1},
        {"of_images": 0.1, "images": 6},
        {"of_seeds": 0.05, "of_images": 0.1, "seeds": 5, "images": 10},
    ],
)
def test_few_seeds_hold_the_truth_as_often_as_they_say(chance):
    assert 0.93 <= covered(intervals(**chance)) <= 0.98


def test_seeds_that_are_no_pairs_hold_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    of_images = 0.1 * rng.normal(size=(2, 400, 1, 60))  # every network finds other images hard
    after, before = (
        each + 0.02 * rng.normal(size=(400, seeds, 1)) + 0.05 * rng.normal(size=(400, seeds, 60))
        for each, seeds in zip(of_images, (3, 4), strict=True)
    )
    found = np.array([interval(a, -b) for a, b in zip(after, before, strict=True)])
    assert 0.93 <= covered(found) <= 0.98


def test_where_seeds_agree_the_images_alone_decide():
    truth = 2 * 1.96 * math.sqrt(0.1**2 / IMAGES + 0.05**2 / (SEEDS * IMAGES))
    assert np.diff(intervals(of_images=0.1, runs=50)).mean() == pytest.approx(truth, rel=0.1)


def test_where_seeds_alone_differ_it_is_the_t_interval_of_their_means():
    low, high = interval(np.array([[0.3] * 50, [0.0] * 50, [0.0] * 50]))
    assert (low, high) == (
        pytest.approx(0.1 - 4.303 * 0.1, abs=1e-3),
        pytest.approx(0.1 + 4.303 * 0.1, abs=1e-3),
    )


def test_where_images_alone_differ_it_is_the_t_interval_of_the_images():
    values = np.array([0.3, 0.0, 0.0])
    low, high = interval(np.tile(values, (4, 1)))
    assert (low, high) == (
        pytest.approx(0.1 - 4.303 * 0.1, abs=1e-3),
        pytest.approx(0.1 + 4.303 * 0.1, abs=1e-3),
    )


def test_equal_differences_leave_nothing_to_chance():
    assert interval(np.full((3, 50), 0.1)) == (pytest.approx(0.1), pytest.approx(0.1))


@pytest.mark.parametrize("shape", [(1, 50), (3, 1)])
def test_a_single_seed_or_image_has_no_interval(shape):
    assert interval(np.zeros(shape)) is None
    assert interval(np.zeros((3, shape[1])), np.zeros(shape)) is None
