"""The bootstrap and the signed ranks, against simulation and arithmetic."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from segdistill.report.bootstrap import draw_means
from segdistill.report.comparison.ranks import least, signed_rank


def test_a_draw_of_images_has_the_variance_that_theory_gives():
    values = np.random.default_rng(3).normal(0, 2, (30, 1))
    drawn = draw_means(values, draws=20_000)[:, 0]
    assert drawn.var() == pytest.approx(values.var() / 30, rel=0.05)


def test_every_column_sees_the_same_draws():
    one = np.random.default_rng(0).normal(size=(30, 1))
    both = draw_means(np.concatenate([one, 2 * one], axis=1), draws=250)
    assert both.shape == (250, 2)
    np.testing.assert_allclose(both[:, 1], 2 * both[:, 0], rtol=1e-12)
    np.testing.assert_allclose(both[:, :1], draw_means(one, draws=250), rtol=1e-12)


def exact(differences):
    """The two-sided p value from all changes of sign; ranks with zeros, which then count nothing (Pratt)."""
    ranks = np.where(np.array(differences) == 0, 0, stats.rankdata(np.abs(differences)))
    signs = np.array(list(product((-1, 1), repeat=len(ranks))))
    sums, seen = signs @ ranks, np.sign(differences) @ ranks
    return min(1.0, 2 * min(np.mean(sums >= seen - 1e-9), np.mean(sums <= seen + 1e-9)))


@pytest.mark.parametrize(
    "differences",
    [
        [0.1, 0.2, 0.3, 0.4, -0.05],
        [0.1, 0.2, -0.3, 0.4, -0.5, 0.6, 0.7, 0.8],
        [0.0, 0.0, 0.1, 0.2, 0.3, -0.4],  # zeros
        [0.1, 0.1, 0.1, -0.1, 0.2, 0.2, -0.3],  # ties
        [0.0, 0.1, 0.1, -0.1, 0.2, 0.0, 0.3, 0.3, 0.3, 0.3],
    ],
)
def test_p_is_that_of_all_changes_of_sign(differences):
    assert signed_rank(np.array(differences)) == pytest.approx(exact(differences), abs=1e-12)


def test_five_gains_and_the_smallest_loss_by_hand():
    # Ranks 1 (negative), 2, 3, 4, 5: of 32 changes of sign the sum is 1 or less in two; both sides: 4 in 32.
    assert signed_rank(np.array([-0.1, 0.2, 0.3, 0.4, 0.5])) == pytest.approx(4 / 32)


def test_many_differences_with_zeros_and_ties_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x = rng.integers(-5, 9, 120) / 8
    expected = stats.wilcoxon(x, zero_method="pratt", correction=False, method="asymptotic").pvalue
    assert signed_rank(x) == pytest.approx(expected, rel=1e-12)


def test_rounding_of_equal_differences_is_no_rank():
    clean = np.array([0.1, 0.1, -0.1, 0.2, 0.3, 0.0])
    noisy = clean + np.array([0, 3e-17, -4e-17, 0, 5e-17, 2e-17])
    assert signed_rank(noisy) == signed_rank(clean)


def test_no_difference_at_all_has_p_one():
    assert signed_rank(np.zeros(7)) == 1


@pytest.mark.parametrize("pairs", [2, 3, 5, 8])
def test_the_least_p_is_that_of_gains_only(pairs):
    assert signed_rank(np.arange(1.0, pairs + 1)) == pytest.approx(least(pairs))


def test_p_does_not_depend_on_order_or_on_who_is_a():
    x = np.random.default_rng(0).normal(0.1, 1, 70)
    assert signed_rank(np.random.default_rng(1).permutation(x)) == pytest.approx(signed_rank(x), rel=1e-12)
    assert signed_rank(-x) == pytest.approx(signed_rank(x), rel=1e-12)
