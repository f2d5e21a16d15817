"""The fast computation against the definitions, on images that no data set has."""

from __future__ import annotations

import math
import pickle
import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from metrics.pranet import transcription
from metrics.pranet.pairs import scored
from segdistill.metrics.pranet import PRANET_MATLAB, PRANET_PY
from segdistill.metrics.pranet.weighted import REACH

FLAVOURS = {"pranet-py": transcription.python, "pranet-matlab": transcription.matlab}
PROTOCOLS = {"pranet-py": PRANET_PY, "pranet-matlab": PRANET_MATLAB}

#: Any shape from one pixel on; few levels, so that maps are often binary, constant, or nothing at all.
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)
MAPS = [[0, 255], [0, 51, 128, 255], [30, 51, 200], [77]]
TRUTHS = [[0, 255], [0], [255], [0, 0, 0, 0, 0, 255], [127, 128, 129]]


@st.composite
def pairs(draw):
    shape = draw(SHAPES)
    maps, truths = draw(st.sampled_from(MAPS)), draw(st.sampled_from(TRUTHS))
    one = [draw(hnp.arrays(np.uint8, shape, elements=st.sampled_from(part))) for part in (maps, truths)]
    return one[0], one[1]


def blobs(height, width, seed):
    """A smooth map and a smooth ground truth, which do not agree."""
    rng = np.random.default_rng(seed)
    field = cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), max(height, width) / 12)
    truth = np.where(field > 1.0 * field.std(), 255, 0).astype(np.uint8)
    other = field / field.std() + 0.3 * cv2.GaussianBlur(rng.standard_normal((height, width)), (0, 0), 2)
    return np.rint(255 / (1 + np.exp(4 - 4 * other))).astype(np.uint8), truth


def by_definition(name, pair):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 0 / 0 where a score is undefined
        return FLAVOURS[name](*pair)


def check(name, pair):
    """Compare everything; scores may exceed 1 only where the definition does."""
    metric, expected = scored(PROTOCOLS[name], pair), by_definition(name, pair)
    for key, curve in metric.curves().items():
        if np.isnan(expected[key]).any():
            assert np.isnan(curve).all(), key  # left out as a whole
            continue
        scale = max(1.0, expected[key].max()) if key == "emeasure" else 0
        np.testing.assert_allclose(curve, expected[key], rtol=0, atol=1e-15 * scale, err_msg=key)
    for key in ("Sm", "wFm", "mae"):
        got = metric.rows[0][key]
        assert math.isnan(expected[key]) if got is None else abs(got - expected[key]) < 1e-12, key


@pytest.mark.parametrize("name", FLAVOURS)
@settings(max_examples=25, deadline=None)
@given(pair=pairs())
def test_small_images_score_as_defined(name, pair):
    check(name, pair)


@pytest.mark.parametrize("name", FLAVOURS)
@pytest.mark.parametrize(("height", "width", "seed"), [(60, 83, 0), (97, 41, 1), (1, 120, 2), (90, 2, 3)])
def test_larger_images_score_as_defined(name, height, width, seed):
    check(name, blobs(height, width, seed))


@pytest.mark.parametrize("name", FLAVOURS)
@pytest.mark.parametrize("far", [REACH - 1, REACH, REACH + 1, REACH + 90])
def test_what_was_found_far_away_weighs_two(name, far):
    truth, predicted = np.zeros((2, 3, 400), np.uint8)
    truth[:, :4] = 255
    predicted[1, 1:3], predicted[2, 3 + far] = 200, 255
    check(name, (predicted, truth))


def test_a_quarter_of_one_level_is_called_what_the_evaluator_calls_it():
    """Its mean may be rounded; the Python evaluator then takes it for one that varies, and calls it 0, not 1."""
    truth = np.zeros((27, 31), np.uint8)
    truth[:5, :4] = truth[-5:, -4:] = 255  # nothing of it in two of the quarters
    told = dict.fromkeys(("rounded", "exact"), 0)
    for level in range(1, 255, 9):
        predicted = np.full_like(truth, level)
        predicted[2, 2], predicted[-1, -1] = 0, 255
        p, g = predicted / 255, truth / 255
        kind = {"ddof": 0, "split": transcription.python_split}
        expected, exact = (
            transcription.structure(p, g, mean=mean, **kind) for mean in (np.mean, transcription.exact_mean)
        )
        assert scored(PRANET_PY, (predicted, truth)).rows[0]["Sm"] == pytest.approx(
            expected, rel=0, abs=1e-12
        )
        told["exact" if expected == pytest.approx(exact) else "rounded"] += 1
    assert all(told.values())


def test_the_distance_transform_is_exact_where_it_counts():
    rng = np.random.default_rng(0)
    for height, width, count in ((200, 310, 4), (301, 40, 30), (64, 64, 900)):
        mask = np.zeros((height, width), bool)
        mask.flat[rng.integers(0, mask.size, count)] = True
        ours = cv2.distanceTransform((~mask).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        np.testing.assert_array_equal(np.rint(np.square(ours)), np.rint(distance_transform_edt(~mask) ** 2))


@settings(max_examples=30, deadline=None)
@given(pair=pairs())
def test_nothing_is_ever_nan(pair):
    for protocol in PROTOCOLS.values():
        metric = scored(protocol, pair, (np.array([[9, 255]], np.uint8), np.array([[0, 255]], np.uint8)))
        for scores in (metric.compute(), *metric.rows):
            values = [value for value in scores.values() if isinstance(value, float)]
            assert np.isfinite(values).all()
            assert None not in [scores[key] for key in ("meanDic", "meanIoU", "meanEm", "meanSen", "mae")]


@settings(max_examples=15, deadline=None)
@given(images=st.lists(pairs(), min_size=2, max_size=7), data=st.data())
def test_order_and_number_of_processes_do_not_matter(images, data):
    for protocol in PROTOCOLS.values():
        once = scored(protocol, *images)
        shards = [protocol.metric() for _ in range(data.draw(st.integers(1, 3)))]
        for number in data.draw(st.permutations(range(len(images)))):
            shard = data.draw(st.sampled_from(shards))
            shard.update([images[number][0]], [images[number][1]], [str(number)])
        first, *others = (pickle.loads(pickle.dumps(shard)) for shard in shards)
        for other in others:
            first.merge(other)
        assert first.compute() == once.compute()
        assert first.rows == once.rows


@given(pair=pairs())
@settings(max_examples=20, deadline=None)
def test_images_with_nothing_to_find_can_be_skipped(pair):
    other = np.array([[0, 99], [255, 7]], np.uint8), np.array([[0, 0], [255, 0]], np.uint8)
    skipping = replace(PRANET_PY, empty="skip")
    result = scored(skipping, pair, other).compute()
    if pair[1].max() < 128:
        assert (result["images"], result["empty_images"]) == (1, 1)
        assert result["meanDic"] == scored(skipping, other).compute()["meanDic"]
    else:
        assert result == scored(PRANET_PY, pair, other).compute()
