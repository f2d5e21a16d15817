from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdistill.core import SegDistillError
from segdistill.metrics import Calibration, Metric
from segdistill.metrics.calibration import CALIBRATION
from segdistill.tasks import Binary, Multiclass, Multilabel

THREE = Multiclass(("background", "liver", "tumour"))
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=8)


def maps():
    def one(shape):
        probabilities = hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=32))
        return st.tuples(probabilities, hnp.arrays(np.uint8, shape, elements=st.integers(0, 1)))

    return SHAPES.flatmap(one)


def one(probabilities, target, task=None, protocol=CALIBRATION):
    metric = Calibration(task, protocol=protocol)
    metric.update([np.asarray(probabilities)], [np.asarray(target)], ["a"])
    return metric.compute()


def softmax_image(seed, classes=3, shape=(20, 30)):
    rng = np.random.default_rng(seed)
    scores = np.exp(2 * rng.normal(size=(classes, *shape)))
    target = rng.integers(0, classes, shape)
    return (scores / scores.sum(axis=0)).astype(np.float32), target


def naive_error(confidence, came_true, bins=15):
    """Pixel by pixel: the gap of every bin, weighted by its pixels."""
    members = [[] for _ in range(bins)]
    for p, hit in zip(confidence.flat, came_true.flat, strict=True):
        members[min(int(p * bins), bins - 1)].append((float(p), bool(hit)))
    gaps = [abs(sum(p for p, _ in m) / len(m) - sum(h for _, h in m) / len(m)) * len(m) for m in members if m]
    return sum(gaps) / confidence.size


@settings(max_examples=40)
@given(image=maps())
def test_both_errors_and_the_brier_score_are_those_of_the_definitions(image):
    p, t = image
    found = one(p, t)
    assert found["ece"] == pytest.approx(naive_error(p, t), abs=1e-9)
    assert found["ece_top_label"] == pytest.approx(
        naive_error(np.maximum(p, 1 - p), (p > 0.5) == t), abs=1e-9
    )
    assert found["brier"] == pytest.approx(np.mean((p.astype(float) - t) ** 2), abs=1e-9)
    assert 0 <= found["ece"] <= found["mce"] <= 1


def test_several_classes_are_judged_by_the_one_that_was_chosen_and_by_what_is_no_background():
    p, t = softmax_image(0)
    found = one(p, t, THREE)
    assert found["ece_top_label"] == pytest.approx(naive_error(p.max(0), p.argmax(0) == t), abs=1e-6)
    assert found["ece"] == pytest.approx(naive_error(1 - p[0], t > 0), abs=1e-6)
    assert found["brier"] == pytest.approx(((p - np.eye(3)[t].transpose(2, 0, 1)) ** 2).sum(0).mean())
    assert found["brier_form"] == "multi-class"


def test_what_says_seventy_per_cent_and_is_right_seven_times_of_ten_is_calibrated():
    target = np.array([[1] * 7 + [0] * 3])
    found = one(np.full((1, 10), 0.7), target)
    assert found["ece"] == pytest.approx(0, abs=1e-9)
    assert found["overconfidence"] == pytest.approx(0, abs=1e-9)
    sure = one(np.full((1, 10), 0.99), target)
    assert sure["ece"] == pytest.approx(0.29)
    assert sure["overconfidence"] == pytest.approx(0.29)


def test_the_curve_has_a_row_per_bin_and_none_where_it_is_empty():
    curve = one([[0.9, 0.9, 0.05]], [[1, 0, 0]])["curves"]["foreground"]
    assert len(curve) == 15
    assert curve[13]["frequency"] == 0.5
    assert curve[13]["confidence"] == pytest.approx(0.9)
    assert (curve[0]["low"], curve[14]["high"]) == (0, 1)
    assert (curve[5]["pixels"], curve[5]["confidence"], curve[5]["frequency"]) == (0, None, None)


@settings(max_examples=25)
@given(items=st.lists(maps(), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_shards_in_any_order_merge_to_the_same_bits(items, seed):
    names = [f"image_{i}" for i in range(len(items))]
    whole, shards = Calibration(), [Calibration() for _ in range(3)]
    whole.update(*zip(*items, strict=True), names)
    for i in np.random.default_rng(seed).permutation(len(items)):
        shards[i % 3].update([items[i][0]], [items[i][1]], [names[i]])
    first, *others = pickle.loads(pickle.dumps(shards))
    for other in others:
        first.merge(other)
    assert first.compute() == whole.compute()
    assert first.rows == whole.rows


def test_eight_bits_score_like_the_floats_they_stand_for():
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    target = (np.random.default_rng(0).random((16, 16)) < levels / 255).astype(int)
    assert one(levels, target) == one(levels / 255, target)
    assert one(levels, (255 * target).astype(np.uint8)) == one(levels, target)


def test_what_a_task_gives_scores_like_the_map():
    logits, target = torch.randn(1, 1, 6, 7), torch.randint(0, 2, (6, 7))
    p = Binary().probabilities(logits)[0]
    assert one(p, target, Binary()) == one(p[0], target)


def test_two_classes_with_a_softmax_are_a_foreground():
    p, t = softmax_image(1, classes=2)
    found = one(p, t, Multiclass(("background", "polyp")))
    assert found == one(p[1], t)
    assert found["brier_form"] == "binary"


def test_the_channels_of_several_labels_are_pooled():
    p, t = softmax_image(2)[0], np.random.default_rng(2).integers(0, 2, (3, 20, 30))
    found = one(p, t, Multilabel(("a", "b", "c")))
    assert found["ece"] == pytest.approx(one(p.reshape(60, 30), t.reshape(60, 30))["ece"])


@pytest.mark.parametrize("task", [Binary(), THREE])
def test_an_ignored_pixel_counts_nowhere(task):
    p, t = softmax_image(3)
    p, t = p[: task.channels], t % len(task.classes)
    marked = t.copy()
    marked[:, 20:] = 255
    cut, whole = one(p[..., :20], t[:, :20], task), one(p, marked, task)
    assert (cut["ece"], cut["pixels"]) == (whole["ece"], whole["pixels"])
    assert cut["brier"] == pytest.approx(whole["brier"])


def test_images_that_are_ignored_altogether_are_counted_and_left_out():
    metric = Calibration(Binary())
    metric.update([np.ones((1, 2, 2), np.float32)], [np.full((2, 2), 255)], ["a"])
    with pytest.raises(SegDistillError, match="no pixels to score"):
        metric.compute()
    metric.update([np.ones((1, 2, 2), np.float32)], [np.ones((2, 2), int)], ["b"])
    assert (metric.compute()["images"], metric.compute()["ignored_images"]) == (1, 1)


def test_volumes_are_pixels_too():
    p, t = softmax_image(4, classes=2, shape=(3, 4, 5))
    assert one(p[1:], t, Binary())["pixels"] == 60


def test_rows_hold_what_was_predicted_and_what_is_true():
    metric = Calibration()
    metric.update([np.array([[0.5, 1.0]])] * 2, [np.array([[0, 1]]), np.array([[0, 0]])], ["b", "a"])
    assert metric.rows == [
        {"id": "a", "brier": 0.625, "predicted": 0.75, "true": 0.0},
        {"id": "b", "brier": 0.125, "predicted": 0.75, "true": 0.5},
    ]
    assert metric.compute()["empty_images"] == 1


def test_the_result_carries_the_protocol_and_its_traps():
    found = one([[1.0]], [[1]])
    assert (found["protocol"], found["version"], found["bins"]) == ("calibration", 1, 15)
    assert any("Most pixels are background" in note for note in found["notes"])
    assert isinstance(Calibration(), Metric)
    assert len(one([[1.0]], [[1]], protocol=replace(CALIBRATION, bins=5))["curves"]["foreground"]) == 5


@pytest.mark.parametrize(
    ("probabilities", "target", "task", "message"),
    [
        ([[1.5]], [[1]], None, "predicted map of 'a' reaches from 1.5 to 1.5; give probabilities"),
        ([[np.nan]], [[1]], None, "reaches from nan to nan"),
        ([[1]], [[1]], None, "predicted map of 'a' is int64"),
        ([[1.0]], [[1, 0]], None, r"predicted map of 'a' is \(1, 1\), and \(1, 2\) is needed"),
        ([[[0.5]], [[0.5]]], [[1]], THREE, r"is \(2, 1, 1\), and \(3, 1, 1\) is needed"),
        ([[[0.3]]] * 3, [[7]], THREE, "true mask of 'a' holds the label 7; this task knows 0 to 2"),
        ([[[0.3]]], [[7]], Binary(), "true mask of 'a' holds the label 7; this task knows 0 to 1"),
    ],
)
def test_what_is_no_probability_or_no_mask_is_named(probabilities, target, task, message):
    with pytest.raises(SegDistillError, match=message):
        one(probabilities, target, task)


def test_one_image_twice_and_another_task_are_errors():
    a, b = Calibration(), Calibration()
    for metric in (a, b):
        metric.update([np.ones((1, 1))], [np.ones((1, 1), int)], ["x"])
    with pytest.raises(SegDistillError, match="'x' was scored twice"):
        a.merge(b)
    with pytest.raises(SegDistillError, match="do not merge"):
        a.merge(Calibration(Binary()))
    with pytest.raises(SegDistillError, match="1 predictions, 0 true masks and 1 ids"):
        a.update([np.ones((1, 1))], [], ["y"])


def test_the_protocol_takes_one_foreground_and_a_sensible_number_of_bins():
    assert CALIBRATION.metric(Binary()).name == "calibration"
    with pytest.raises(SegDistillError, match="'calibration' scores maps of one foreground"):
        CALIBRATION.metric(THREE)
    with pytest.raises(SegDistillError, match="has 2 to 1000 bins, got 1"):
        replace(CALIBRATION, bins=1)
