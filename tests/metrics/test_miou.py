from __future__ import annotations

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.metrics import Metric
from segdistill.metrics.miou import MIOU, VOC_513, MeanIoU, PooledClasses
from segdistill.metrics.miou.boundary import boundary, boundary_width
from segdistill.metrics.resample import centre_nearest, corner_nearest, short_side
from segdistill.tasks import Binary, Multiclass, Multilabel

FOUR = Multiclass(("sky", "road", "car", "tree"))
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def pair(labels):
    """Two masks of one shape with these labels; often of one label only, as a drawn label fills what is left."""
    mask = st.sampled_from(labels)
    return SHAPES.flatmap(lambda shape: st.tuples(*(hnp.arrays(np.uint8, shape, elements=mask),) * 2))


def score(*pairs, task=FOUR, protocol=MIOU):
    metric = protocol.metric(task)
    metric.update([np.asarray(p) for p, _ in pairs], [np.asarray(t) for _, t in pairs], names(pairs))
    return metric.compute()


def names(pairs):
    return [f"image_{i}" for i in range(len(pairs))]


def naive(pairs, classes, *, ignore=255):
    """All rates pixel by pixel, without a single array operation."""
    true, found, both = [0] * classes, [0] * classes, [0] * classes
    for predicted, target in pairs:
        for p, t in zip(predicted.flat, target.flat, strict=True):
            if t != ignore:
                true[t] += 1
                found[p] += 1
                both[t] += p == t
    unions = [true[c] + found[c] - both[c] for c in range(classes)]
    seen = [c for c in range(classes) if unions[c]]
    ious = {c: both[c] / unions[c] for c in seen}
    total = sum(true)
    return {
        "miou": sum(ious.values()) / len(seen),
        "fwiou": sum(true[c] / total * ious[c] for c in seen),
        "pixel_accuracy": sum(both) / total,
        "class_accuracy": np.mean([both[c] / true[c] for c in range(classes) if true[c]]),
    }


def naive_boundary(mask, label, width):
    """Erode one class by 3x3, `width` times, with nothing outside the image: pixel by pixel."""
    region = {(y, x) for y, x in np.ndindex(mask.shape) if mask[y, x] == label}
    left = region
    for _ in range(width):
        left = {
            (y, x) for y, x in left if all((y + dy, x + dx) in left for dy in (-1, 0, 1) for dx in (-1, 0, 1))
        }
    return region - left


def naive_boundary_iou(pairs, classes, *, share, ignore=255):
    """Mean over classes of the IoU of what lies near contours; ignored areas are cut out of both masks."""
    both, either = [0] * classes, [0] * classes
    for predicted, target in pairs:
        width = max(1, round(share * float(np.hypot(*target.shape))))
        p = np.where(target == ignore, ignore, predicted)
        for c in range(classes):
            a, b = naive_boundary(p, c, width), naive_boundary(target, c, width)
            both[c] += len(a & b)
            either[c] += len(a | b)
    return np.mean([b / e for b, e in zip(both, either, strict=True) if e])


@settings(max_examples=25)
@given(pairs=st.lists(pair([0, 1, 2, 3, 255]), min_size=1, max_size=3))
def test_rates_are_those_of_counting_pixels_by_hand(pairs):
    pairs = [(p % 4, t) for p, t in pairs]
    counted = [item for item in pairs if (item[1] != 255).any()]
    metric = MIOU.metric(FOUR)
    metric.update(*zip(*pairs, strict=True), names(pairs))
    assert len(metric.rows) == len(counted)
    if counted:
        found = metric.compute()
        assert {key: found[key] for key in naive(pairs, 4)} == pytest.approx(naive(pairs, 4))
        assert found["ignored_images"] == len(pairs) - len(counted)


@given(masks=pair([0, 1, 2, 255]), share=st.sampled_from([0.02, 0.2, 0.3]))
def test_boundary_iou_is_that_of_eroding_every_class_by_hand(masks, share):
    predicted, target = masks[0] % 3, masks[1]
    if (target == 255).all():
        target = np.zeros_like(target)
    found = score((predicted, target), task=None, protocol=replace(MIOU, boundary=share))
    assert found["boundary_miou"] == pytest.approx(naive_boundary_iou([(predicted, target)], 3, share=share))


@given(masks=pair([0, 1, 2, 3, 255]))
def test_no_rate_is_nan_and_all_lie_between_zero_and_one(masks):
    metric = MIOU.metric(FOUR)
    metric.update([masks[0] % 4], [masks[1]], ["a"])
    for row in metric.rows:
        assert all(0 <= row[key] <= 1 for key in ("miou", "boundary_miou", "pixel_accuracy"))
        found = metric.compute()
        assert all(0 <= found[key] <= 1 for key in ("miou", "fwiou", "class_accuracy", "boundary_miou"))


@settings(max_examples=25)
@given(pairs=st.lists(pair([0, 1, 2]), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_shards_in_any_order_merge_to_the_same_bits(pairs, seed):
    protocol = replace(VOC_513, short_side=5)
    whole, shards = protocol.metric(FOUR), [protocol.metric(FOUR) for _ in range(3)]
    whole.update(*zip(*pairs, strict=True), names(pairs))
    for i in np.random.default_rng(seed).permutation(len(pairs)):
        shards[i % 3].update([pairs[i][0]], [pairs[i][1]], [names(pairs)[i]])
    first, *others = pickle.loads(pickle.dumps(shards))
    for other in others:
        first.merge(other)
    assert first.compute() == whole.compute()
    assert first.rows == whole.rows


def test_one_matrix_over_the_data_set_is_not_the_mean_over_images():
    small, large = np.array([[1]]), np.ones((1, 9), int)
    found = score((1 - small, small), (large, large), task=Binary())
    assert found["miou"] == pytest.approx(np.mean([0, 9 / 10]))
    assert np.mean([0, 1]) != found["miou"]


def test_a_class_in_neither_mask_is_left_out_and_one_that_was_made_up_counts_zero():
    found = score(([[0, 1, 3]], [[0, 1, 1]]))
    assert found["miou"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    assert found["absent_classes"] == 1
    assert set(found["classes"]) == {"sky", "road", "tree"}
    assert found["classes"]["tree"] == {"iou": 0, "accuracy": None, "boundary_iou": 0, "pixels": 0}
    assert found["class_accuracy"] == pytest.approx((1 + 1 / 2) / 2)


def test_frequent_classes_weigh_more_in_the_frequency_weighted_iou():
    found = score(([[0, 0, 0, 1]], [[0, 0, 0, 2]]))
    assert (found["miou"], found["fwiou"]) == pytest.approx((1 / 3, 3 / 4))


def test_an_ignored_pixel_counts_nowhere_whatever_was_predicted_there():
    target = np.array([[0, 1, 255]])
    assert score(([[0, 1, 2]], target)) == score(([[0, 1, 0]], target))
    assert score(([[0, 1, 2]], target))["miou"] == 1
    task = replace(FOUR, ignore_index=11)
    assert score(([[0, 1, 2]], [[0, 1, 11]]), task=task)["boundary_miou"] == 1


def test_without_names_every_label_is_a_class():
    found = score(([[0, 7]], [[0, 7]]), task=None)
    assert set(found["classes"]) == {"0", "7"}
    assert found["absent_classes"] is None


def test_images_that_are_ignored_altogether_are_counted_and_left_out():
    ignored = np.full((2, 2), 255)
    found = score((ignored * 0, ignored), ([[1]], [[1]]))
    assert (found["images"], found["ignored_images"], found["miou"]) == (1, 1, 1)
    with pytest.raises(SegDistillError, match="Every pixel of all 1 images is ignored"):
        score((ignored * 0, ignored))


def test_images_with_nothing_but_background_are_counted():
    assert score(([[0, 1]], [[0, 0]]), ([[1]], [[1]]))["empty_images"] == 1


@pytest.mark.parametrize("width", [1, 3, 8])
def test_the_boundary_of_all_classes_at_once_is_that_of_each_alone(width):
    labels = blobs(seed=width, shape=(120, 180))
    padded = np.pad(labels, 1, constant_values=255)
    expected = np.zeros(labels.shape, bool)
    for label in np.unique(labels):
        mask = (padded == label).astype(np.uint8)
        kept = cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=width)
        expected |= (mask - kept)[1:-1, 1:-1].astype(bool)
    assert (boundary(labels, width) == expected).all()
    assert 0.05 < expected.mean() < 0.95


def blobs(seed, shape=(60, 90), classes=4):
    noise = np.random.default_rng(seed).random((5, 7)).astype(np.float32)
    smooth = cv2.resize(noise, shape[::-1])
    return np.digitize(smooth, np.linspace(0.2, 0.8, classes - 1)).astype(np.uint8)


def test_a_boundary_is_two_per_cent_of_the_diagonal_and_never_nothing():
    assert boundary_width(480, 640, 0.02) == 16
    assert boundary_width(3, 4, 0.02) == 1


def test_boundary_iou_sees_rough_edges_that_iou_overlooks():
    target = np.zeros((200, 200), np.uint8)
    target[20:180, 20:180] = 1
    predicted = cv2.erode(target, np.ones((9, 9), np.uint8))
    found = score((predicted, target), task=Binary())
    assert found["classes"]["foreground"]["iou"] > 0.9
    assert found["classes"]["foreground"]["boundary_iou"] < 0.25


def test_many_classes_fit():
    task = Multiclass(tuple(f"class {i}" for i in range(300)), ignore_index=-1)
    mask = np.arange(300).reshape(15, 20)
    assert score((mask, mask), task=task)["boundary_miou"] == 1


def test_labels_are_resized_as_pillow_does_it_from_every_length():
    for ramp in ramps():
        expected = Image.fromarray(ramp).resize((513, 1), Image.Resampling.NEAREST)
        assert (centre_nearest(ramp, (1, 513)) == np.asarray(expected)).all(), ramp.size
    labels = blobs(seed=3)
    for size in [(31, 44), (120, 203), (1, 1)]:
        expected = np.asarray(Image.fromarray(labels).resize(size[::-1], Image.Resampling.NEAREST))
        assert (centre_nearest(labels, size) == expected).all()


def test_labels_are_resized_as_opencv_does_it_from_every_length():
    for ramp in ramps():
        expected = cv2.resize(ramp, (320, 1), interpolation=cv2.INTER_NEAREST)
        assert (corner_nearest(ramp, (1, 320)) == expected).all(), ramp.size
    labels = blobs(seed=3)
    for size in [(31, 44), (120, 203), (320, 320)]:
        expected = cv2.resize(labels, size[::-1], interpolation=cv2.INTER_NEAREST)
        assert (corner_nearest(labels, size) == expected).all()


def ramps():
    """One row of every length up to 2048, whose values are their places."""
    return (np.arange(length, dtype=np.float32)[None] for length in range(1, 2049))


@pytest.mark.parametrize(
    ("size", "resized"),
    [((375, 500), (513, 684)), ((500, 375), (684, 513)), ((600, 600), (513, 513)), ((1, 7), (513, 3591))],
)
def test_the_shorter_side_becomes_513(size, resized):
    assert short_side(size, 513) == resized


def test_voc_513_scores_resized_labels():
    predicted, target = blobs(seed=1), blobs(seed=2)
    size = short_side(target.shape, 513)
    by_hand = score((centre_nearest(predicted, size), centre_nearest(target, size)))
    found = score((predicted, target), protocol=VOC_513)
    assert found["miou"] == by_hand["miou"]
    assert found["boundary_miou"] == by_hand["boundary_miou"]
    assert found["resized_predictions"] == 1
    assert "resized_predictions" not in by_hand
    assert any("do not compare" in note for note in found["notes"])


def test_a_mask_that_was_predicted_at_513_is_taken_as_it_is():
    target = blobs(seed=2)
    predicted = np.zeros(short_side(target.shape, 513), np.uint8)
    found = score((predicted, target), protocol=VOC_513)
    assert found["resized_predictions"] == 0
    assert found["pixel_accuracy"] == (centre_nearest(target, predicted.shape) == 0).mean()


def test_tensors_bools_and_arrays_score_alike():
    mask = np.array([[1, 0], [1, 1]], dtype=np.uint8)
    metric = MIOU.metric(Binary())
    metric.update([mask, mask.astype(bool), torch.from_numpy(mask)], [mask] * 3, ["a", "b", "c"])
    assert metric.compute()["miou"] == 1


def test_the_result_carries_the_protocol_and_how_classes_are_averaged():
    found = score(([[1]], [[1]]))
    assert (found["protocol"], found["version"]) == ("miou", 1)
    assert "left out of means" in found["notes"][0]
    assert isinstance(PooledClasses(), Metric)
    assert PooledClasses().name == "miou"


def test_rows_are_small_and_sorted():
    metric = MIOU.metric(FOUR)
    metric.update([np.array([[0, 1]])] * 2, [np.array([[0, 1]]), np.array([[0, 0]])], ["b", "a"])
    assert metric.rows == [
        {"id": "a", "miou": 0.25, "boundary_miou": 0.25, "pixel_accuracy": 0.5, "pixels": 2},
        {"id": "b", "miou": 1, "boundary_miou": 1, "pixel_accuracy": 1, "pixels": 2},
    ]


@pytest.mark.parametrize(
    ("predicted", "target", "message"),
    [
        ([[1, 0]], [[1]], r"predicted mask of 'image_0' is \(1, 2\), the true one \(1, 1\)"),
        ([[0.3]], [[1]], "predicted mask of 'image_0' is float64, not class indices"),
        ([[1]], [[7]], "true mask of 'image_0' holds the label 7; this task knows 0 to 3"),
        ([[255]], [[1]], "predicted mask of 'image_0' holds the label 255"),
        ([1], [1], r"'miou' scores masks \(H, W\), but the true one of 'image_0' is \(1,\)"),
    ],
)
def test_wrong_masks_say_what_is_wrong(predicted, target, message):
    with pytest.raises(SegDistillError, match=message):
        score((predicted, target))


def test_several_labels_per_pixel_are_refused():
    with pytest.raises(SegDistillError, match="'miou' needs one class per pixel"):
        MIOU.metric(Multilabel(("a", "b")))


def test_no_images_are_an_error_and_not_nan():
    with pytest.raises(SegDistillError, match="no images to score"):
        PooledClasses().compute()


def test_lists_must_be_of_one_length():
    with pytest.raises(SegDistillError, match="1 predictions, 1 true masks and 2 ids"):
        PooledClasses().update([[[1]]], [[[1]]], ["a", "b"])


def test_an_image_scored_twice_is_refused_also_between_shards():
    a, b = PooledClasses(), PooledClasses()
    for metric in (a, b):
        metric.update([np.ones((1, 1), int)], [np.ones((1, 1), int)], ["x"])
    with pytest.raises(SegDistillError, match="'x' was scored twice"):
        a.merge(b)


def test_shards_of_another_protocol_do_not_merge():
    with pytest.raises(SegDistillError, match="do not merge"):
        MIOU.metric(FOUR).merge(VOC_513.metric(FOUR))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"empty": "one"}, "Unknown rule for empty masks 'one'. Known: pooled"),
        ({"short_side": 0}, "at least 1 pixel long, got 0"),
        ({"boundary": 1.5}, "between 0 and 1, got 1.5"),
    ],
)
def test_a_protocol_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(SegDistillError, match=message):
        replace(MIOU, **changes)
    assert isinstance(MIOU, MeanIoU)
