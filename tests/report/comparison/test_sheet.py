"""The picture sheet of the worst cases."""

from __future__ import annotations

import numpy as np
import pytest

from pictures import holds
from segdistill.core import SegDistillError
from segdistill.export.base import Prediction
from segdistill.report import compare
from segdistill.report.comparison.sheet import COLORS, sheet
from toys import Discs

pytestmark = pytest.mark.usefixtures("no_stripes")


class Left:
    """A network that marks the left half, or nothing."""

    classes = ("background", "disc")

    def __init__(self, share):
        self.share = share

    def __call__(self, image):
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[:, : int(image.shape[1] * self.share)] = 1
        return Prediction(mask, mask.astype(np.float32))


@pytest.fixture
def found(scored):
    discs = Discs(6)
    a = dict.fromkeys(discs.ids, 0.9)
    b = {name: 0.9 - 0.1 * i for i, name in enumerate(discs.ids)}
    return compare(scored("a", {"test": a}), scored("b", {"test": b}), draws=200)


def networks(found, *shares):
    runs = (*found.sides.a.runs, *found.sides.b.runs)
    return {run.name: Left(share) for run, share in zip(runs, shares, strict=True)}


def test_the_worst_cases_are_drawn_with_the_outlines_of_truth_a_and_b(found):
    drawn = sheet(found, {"test": Discs(6)}, predictors=networks(found, 0.5, 0.25), height=64)
    one = next(c for c in found.differences[0].losses)
    assert one.id == "disc_05"
    # Two headings, four losses, and of the four lowest those that are no losses: none of the four.
    assert drawn.shape[1] == 4 * 64 + 5 * 8
    left, right = drawn[:, : 2 * 72], drawn[:, 2 * 72 :]
    assert holds(left, COLORS["truth"])
    assert not holds(left, COLORS["a"])
    assert holds(right, COLORS["a"])
    assert holds(right, COLORS["b"])


def test_a_network_that_finds_nothing_has_no_outline(found):
    drawn = sheet(found, {"test": Discs(6)}, predictors=networks(found, 0.5, 0.0), height=64)
    assert holds(drawn, COLORS["a"])
    assert not holds(drawn, COLORS["b"])


def test_a_stripe_above_each_picture_says_whose_outlines_are_new_in_it(found, monkeypatch):
    monkeypatch.setattr("segdistill.report.comparison.sheet._STRIPE", 5)
    drawn = sheet(found, {"test": Discs(6)}, predictors=networks(found, 0.0, 0.0), height=64)
    top = drawn[60:120].astype(int)
    for index, color in enumerate(COLORS.values(), start=1):
        assert (top[:, 8 + 72 * index + 30] == color).all(axis=-1).sum() == 5


def test_the_outlines_of_all_seeds_are_drawn(scored):
    ids = Discs(4).ids
    a, b = (
        [scored(f"{side}{s}", {"test": dict.fromkeys(ids, level)}, seed=s) for s in (0, 1)]
        for side, level in (("a", 0.9), ("b", 0.8))
    )
    found = compare(a, b, draws=200)
    one = sheet(found, {"test": Discs(4)}, predictors=networks(found, 0.5, 0.5, 0.5, 0.5), height=64)
    two = sheet(found, {"test": Discs(4)}, predictors=networks(found, 0.5, 0.5, 0.5, 0.2), height=64)
    assert one.shape == two.shape
    assert (one != two).any()


def test_data_that_were_not_scored_are_refused(found):
    with pytest.raises(SegDistillError, match="The data of test do not hold disc_04, disc_05"):
        sheet(found, {"test": Discs(4)}, predictors=networks(found, 0.5, 0.5))
    with pytest.raises(SegDistillError, match="Unknown test set 'tset'. Did you mean 'test'"):
        sheet(found, {"tset": Discs(6)}, predictors=networks(found, 0.5, 0.5))
