from __future__ import annotations

import math
import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdistill.core import SegDistillError
from segdistill.metrics import Metric
from segdistill.metrics.at_size import DICE_AT_320
from segdistill.tasks import Binary, Multiclass, Multilabel

TINY = replace(DICE_AT_320, size=(4, 6))
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def images():
    def one(shape):
        probabilities = hnp.arrays(np.float32, shape, elements=st.sampled_from([0, 0.2, 0.5, 0.7, 1]))
        return st.tuples(probabilities, hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))

    return SHAPES.flatmap(one)


def one(map_, target, protocol=TINY):
    metric = protocol.metric(Binary())
    metric.update([np.asarray(map_)], [np.asarray(target)], ["a"])
    return metric.compute()


def naive(map_, target, size):
    """The definition, pixel by pixel, after OpenCV has resized both."""
    width_first = size[::-1]
    p = map_ if map_.shape == size else cv2.resize(map_, width_first, interpolation=cv2.INTER_LINEAR)
    t = cv2.resize(target, width_first, interpolation=cv2.INTER_NEAREST)
    pairs = [(a > 0.5, b == 1) for a, b in zip(p.flat, t.flat, strict=True)]
    both, found, true = sum(a and b for a, b in pairs), sum(a for a, _ in pairs), sum(b for _, b in pairs)
    return (2 * both + 1e-6) / (found + true + 1e-6), (both + 1e-6) / (found + true - both + 1e-6)


@settings(deadline=None)
@given(image=images())
def test_scores_are_those_of_the_definition(image):
    found = one(*image)
    assert (found["dice"], found["iou"]) == pytest.approx(naive(*image, TINY.size))
    assert 0 < found["iou"] <= found["dice"] <= 1


@settings(max_examples=25)
@given(items=st.lists(images(), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_shards_in_any_order_merge_to_the_same_bits(items, seed):
    names = [f"image_{i}" for i in range(len(items))]
    whole, shards = TINY.metric(), [TINY.metric() for _ in range(3)]
    whole.update(*zip(*items, strict=True), names)
    for i in np.random.default_rng(seed).permutation(len(items)):
        shards[i % 3].update([items[i][0]], [items[i][1]], [names[i]])
    first, *others = pickle.loads(pickle.dumps(shards))
    for other in others:
        first.merge(other)
    assert first.compute() == whole.compute()
    assert first.rows == whole.rows


def test_it_compares_at_320_pixels():
    target = np.zeros((966, 1225), np.uint8)
    target[100:500, 200:900] = 1
    map_ = np.roll(target, 30, axis=1).astype(np.float32) * 0.9
    found = one(map_, target, DICE_AT_320)
    assert found["dice"] == pytest.approx(naive(map_, target, (320, 320))[0])
    assert found["resized_predictions"] == 1


def test_a_map_of_the_networks_size_is_taken_as_it_is():
    map_ = np.zeros((320, 320), np.float32)
    map_[:160] = 0.6
    found = one(map_, np.repeat([[1], [0]], 50, axis=0), DICE_AT_320)
    assert (found["dice"], found["resized_predictions"]) == (1, 0)


def test_nothing_found_where_nothing_is_counts_one_and_anything_else_next_to_nothing():
    nothing = np.zeros((4, 6))
    assert one(nothing, nothing.astype(int))["dice"] == 1
    found = one(nothing + 1, nothing.astype(int))
    assert 0 < found["dice"] < 1e-7
    assert found["empty_images"] == 1


def test_half_is_background_in_floats_and_in_eight_bits():
    for map_ in (np.full((4, 6), 0.5), np.full((4, 6), 127, np.uint8)):
        assert one(map_, np.zeros((4, 6), int))["dice"] == 1
    assert one(np.full((4, 6), 128, np.uint8), np.ones((4, 6), int))["dice"] == 1


def test_grey_masks_are_cut_at_128():
    target = np.full((4, 6), 127, np.uint8)
    target[0] = 255
    map_ = (target > 127).astype(np.float16)
    assert one(map_, target)["dice"] == 1
    assert one(torch.from_numpy(map_), torch.from_numpy(target))["dice"] == 1


def test_the_result_carries_the_protocol_its_notes_and_no_nan():
    found = one([[1.0]], [[1]])
    assert (found["protocol"], found["version"], len(found["notes"])) == ("dice@320", 2, 2)
    assert not any(isinstance(v, float) and math.isnan(v) for v in found.values())
    assert isinstance(TINY.metric(), Metric)
    assert TINY.metric().name == "dice@320"


@pytest.mark.parametrize(
    ("map_", "target", "message"),
    [
        ([[1]], [[1]], "predicted map of 'a' is int64; give uint8 levels 0 to 255, or floats"),
        ([[1.5]], [[1]], "predicted map of 'a' reaches from 1.5 to 1.5"),
        ([[math.nan]], [[1]], "predicted map of 'a' reaches from nan to nan"),
        ([1.0], [[1]], r"predicted map of 'a' is \(1,\); one channel"),
        ([[1.0]], [[0.5]], r"true mask of 'a' is float64 \(1, 1\); class indices"),
        ([[1.0]], [[3]], "true mask of 'a' holds the label 3; give 0 and 1, or uint8 grey levels"),
        ([[1.0]], np.array([[0, 1, 255]], np.uint8), "holds 0, 1 and 255, which looks like class indices"),
    ],
)
def test_wrong_maps_and_masks_say_what_is_wrong(map_, target, message):
    with pytest.raises(SegDistillError, match=message):
        one(map_, target)


@pytest.mark.parametrize("task", [Multiclass(("a", "b", "c")), Multilabel(("a",))])
def test_tasks_of_several_classes_are_refused(task):
    with pytest.raises(SegDistillError, match="'dice@320' scores maps of one foreground"):
        DICE_AT_320.metric(task)


def test_no_images_one_image_twice_and_another_protocol_are_errors():
    a, b = TINY.metric(), TINY.metric()
    with pytest.raises(SegDistillError, match="no images to score"):
        a.compute()
    for metric in (a, b):
        metric.update([np.ones((1, 1))], [np.ones((1, 1), int)], ["x"])
    with pytest.raises(SegDistillError, match="'x' was scored twice"):
        a.merge(b)
    with pytest.raises(SegDistillError, match="do not merge"):
        a.merge(DICE_AT_320.metric())
    with pytest.raises(SegDistillError, match="1 predictions, 0 true masks and 1 ids"):
        a.update([np.ones((1, 1))], [], ["y"])


@pytest.mark.parametrize("changes", [{"size": (0, 5)}, {"smooth": 0}, {"threshold": 1}])
def test_a_protocol_that_makes_no_sense_is_refused(changes):
    with pytest.raises(SegDistillError, match="'dice@320' needs a positive size and smooth"):
        replace(DICE_AT_320, **changes)
