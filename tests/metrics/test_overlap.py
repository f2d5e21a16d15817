from __future__ import annotations

import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from segdistill.core import SegDistillError
from segdistill.metrics import DICE_AT_HALF, Metric, Overlap
from segdistill.tasks import Binary, Multiclass, Multilabel

THREE = Multiclass(("background", "liver", "tumour"))
SHAPES = hnp.array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=7)
SKIPS, ZEROS = replace(DICE_AT_HALF, empty="skip"), replace(DICE_AT_HALF, empty="zero")


def pair(labels):
    """Two masks of one shape with these labels; often empty or full, as a drawn label fills what is left."""
    mask = st.sampled_from(labels)
    return SHAPES.flatmap(lambda shape: st.tuples(*(hnp.arrays(np.uint8, shape, elements=mask),) * 2))


def brute_force(predicted, target, *, label, ignore=255):
    """Dice and IoU pixel by pixel, without a single array operation; `None` where the label is absent."""
    both = either = total = 0
    for p, t in zip(predicted.flat, target.flat, strict=True):
        if t == ignore:
            continue
        p, t = p == label, t == label
        both, either, total = both + (p and t), either + (p or t), total + int(p) + int(t)
    return (2 * both / total, both / either) if total else None


def one(predicted, target, **options):
    metric = Overlap(**options)
    metric.update([np.asarray(predicted)], [np.asarray(target)], ["a"])
    return metric.compute()


@given(masks=pair([0, 1, 1, 255]))
def test_binary_scores_are_those_of_counting_pixels_by_hand(masks):
    predicted, target = masks[0] % 2, masks[1]
    metric = Overlap()
    metric.update([predicted], [target], ["a"])
    if (target == 255).all():
        assert metric.rows == []
    else:
        expected = brute_force(predicted, target, label=1) or (1.0, 1.0)
        assert (metric.compute()["dice"], metric.compute()["iou"]) == pytest.approx(expected)


@given(masks=pair([0, 1, 2, 255]))
def test_several_classes_average_over_those_that_are_there(masks):
    predicted, target = masks[0] % 3, masks[1]
    metric = Overlap(THREE)
    metric.update([predicted], [target], ["a"])
    scores = [s for label in (1, 2) if (s := brute_force(predicted, target, label=label))]
    if (target == 255).all():
        assert metric.rows == []
        return
    expected = np.mean(scores, axis=0) if scores else (1.0, 1.0)
    assert (metric.compute()["dice"], metric.compute()["iou"]) == pytest.approx(tuple(expected))
    ious = [s[1] for label in (0, 1, 2) if (s := brute_force(predicted, target, label=label))]
    assert metric.compute()["miou"] == pytest.approx(np.mean(ious))


@given(masks=pair([0, 1]))
def test_dice_and_iou_agree_and_do_not_depend_on_which_mask_is_true(masks):
    score, mirrored = one(*masks), one(*masks[::-1])
    assert 0 <= score["iou"] <= score["dice"] <= 1
    assert score["dice"] == pytest.approx(2 * score["iou"] / (1 + score["iou"]))
    assert score["dice"] == mirrored["dice"]


@given(masks=st.lists(pair([0, 1, 2]), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_shards_in_any_order_merge_to_the_same_bits(masks, seed):
    names = [f"image_{i}" for i in range(len(masks))]
    whole, shards = Overlap(THREE), [Overlap(THREE) for _ in range(3)]
    whole.update(*zip(*masks, strict=True), names)
    for i in np.random.default_rng(seed).permutation(len(masks)):
        shards[i % 3].update([masks[i][0]], [masks[i][1]], [names[i]])
    first, *others = pickle.loads(pickle.dumps(shards[::-1]))
    for other in others:
        first.merge(other)
    assert first.compute() == whole.compute()
    assert first.rows == whole.rows


def test_a_class_that_was_made_up_counts_zero():
    score = one([[1, 1, 2, 0]], [[1, 1, 0, 0]], task=THREE)
    assert score["dice"] == 0.5
    assert score["classes"]["tumour"] == {"dice": 0.0, "iou": 0.0, "images": 1}


def test_with_skip_only_classes_in_the_true_mask_count():
    assert one([[1, 1, 2, 0]], [[1, 1, 0, 0]], task=THREE, protocol=SKIPS)["dice"] == 1


def test_a_class_that_no_image_has_scores_none_rather_than_nan():
    assert one([[1]], [[1]], task=THREE)["classes"]["tumour"] == {"dice": None, "iou": None, "images": 0}


@pytest.mark.parametrize(("protocol", "nothing", "something"), [(DICE_AT_HALF, 1, 0), (ZEROS, 0, 0)])
def test_an_empty_truth_counts_what_the_protocol_says(protocol, nothing, something):
    truth = np.zeros((2, 3), int)
    assert one(truth, truth, protocol=protocol)["dice"] == nothing
    assert one(truth + 1, truth, protocol=protocol)["dice"] == something
    assert one(truth, truth, protocol=protocol)["empty_images"] == 1


def test_skipped_images_leave_the_average_and_the_rows():
    metric = Overlap(protocol=SKIPS)
    metric.update(
        [np.ones((2, 2), int)] * 2, [np.zeros((2, 2), int), np.ones((2, 2), int)], ["empty", "full"]
    )
    assert [row["id"] for row in metric.rows] == ["full"]
    assert (metric.compute()["images"], metric.compute()["empty_images"]) == (1, 1)


def test_only_empty_images_cannot_be_averaged_when_they_are_skipped():
    with pytest.raises(SegDistillError, match=r"All 1 images have nothing to find.*skips"):
        one([[0]], [[0]], protocol=SKIPS)


def test_no_images_are_an_error_and_not_nan():
    with pytest.raises(SegDistillError, match="no images to score"):
        Overlap().compute()


def test_images_that_are_ignored_altogether_are_left_out():
    metric = Overlap()
    metric.update([np.ones((2, 2), int)], [np.full((2, 2), 255)], ["a"])
    with pytest.raises(SegDistillError, match="Every pixel of all 1 images is ignored"):
        metric.compute()
    metric.update([np.ones((2, 2), int)], [np.ones((2, 2), int)], ["b"])
    assert (metric.compute()["images"], metric.compute()["dice"]) == (1, 1)


def test_many_labels_score_each_channel():
    task = Multilabel(("vessel", "lesion"))
    predicted = np.array([[[1, 1, 0, 0]], [[0, 0, 0, 1]]])
    target = np.array([[[1, 0, 0, 0]], [[0, 0, 0, 255]]])
    score = one(predicted, target, task=task)
    assert score["classes"]["vessel"]["dice"] == pytest.approx(2 / 3)
    assert score["classes"]["lesion"]["images"] == 0  # its only pixel is ignored
    assert score["miou"] == pytest.approx(1 / 2)


@pytest.mark.parametrize("ignore", [-1, 255])
def test_an_ignored_pixel_counts_nowhere(ignore):
    score = one([[1, 1]], [[1, ignore]], task=Binary(ignore_index=ignore))
    assert (score["dice"], score["miou"]) == (1, 1)
    assert one([[2, 2]], [[2, ignore]], task=replace(THREE, ignore_index=ignore))["dice"] == 1


def test_tensors_bools_and_arrays_score_alike():
    mask = np.array([[1, 0], [1, 1]], dtype=np.uint8)
    forms = [mask, mask.astype(bool), mask.astype(np.int64), torch.from_numpy(mask)]
    metric = Overlap()
    metric.update(forms, [mask] * 4, ["a", "b", "c", "d"])
    assert [row["dice"] for row in metric.rows] == [1, 1, 1, 1]


def test_a_tiny_object_in_a_large_image_is_counted_exactly():
    target = np.zeros((3000, 3000), np.uint8)
    target[5, 5:8] = 1
    predicted = np.roll(target, 1, axis=1)
    assert one(predicted, target)["dice"] == pytest.approx(2 / 3)


def test_the_result_carries_the_protocol_and_no_nan():
    score = one([[1]], [[1]])
    assert (score["protocol"], score["version"]) == ("dice@0.5", 1)
    assert not any(isinstance(v, float) and math.isnan(v) for v in score.values())


def test_rows_are_written_sorted_by_id():
    metric = Overlap()
    masks = [np.array([[1, 1]]), np.array([[1, 0]])]
    metric.update(masks, [masks[0]] * 2, ["b", "a"])
    assert metric.to_csv() == f"id,dice,iou\na,{2 / 3},0.5\nb,1.0,1.0\n"


def test_overlap_is_a_metric():
    assert isinstance(Overlap(), Metric)
    assert Overlap().name == "dice@0.5"


def test_two_hundred_and_fifty_six_classes_fit():
    task = Multiclass(tuple(f"class {i}" for i in range(256)), ignore_index=-1)
    mask = np.arange(256).reshape(16, 16)
    assert one(mask, mask, task=task)["miou"] == 1


@pytest.mark.parametrize(
    ("predicted", "target", "task", "message"),
    [
        ([[1, 0]], [[1]], Binary(), r"predicted mask of 'a' is \(1, 2\), the true one \(1, 1\)"),
        ([[0.3]], [[1]], Binary(), "predicted mask of 'a' is float64, not class indices"),
        ([[1]], [[7]], Binary(), "true mask of 'a' holds the label 7; this task knows 0 to 1"),
        ([[2]], [[1]], Binary(), "predicted mask of 'a' holds the label 2"),
        ([[0]], [[3]], THREE, "true mask of 'a' holds the label 3; this task knows 0 to 2"),
        ([[-1]], [[0]], THREE, "predicted mask of 'a' holds the label -1"),
        ([[1]], [[1]], Multilabel(("a", "b")), r"are \(1, 1\); this task needs \(2, \*spatial\)"),
    ],
)
def test_wrong_masks_say_what_is_wrong(predicted, target, task, message):
    with pytest.raises(SegDistillError, match=message):
        one(predicted, target, task=task)


def test_a_single_mask_must_stand_in_a_list():
    with pytest.raises(SegDistillError, match="2 predictions, 2 true masks and 1 ids"):
        Overlap().update(np.ones((2, 2), int), np.ones((2, 2), int), ["a"])


def test_an_image_scored_twice_is_refused_also_between_shards():
    a, b = Overlap(), Overlap()
    for metric in (a, b):
        metric.update([np.ones((1, 1), int)], [np.ones((1, 1), int)], ["x"])
    with pytest.raises(SegDistillError, match="'x' was scored twice"):
        a.merge(b)


def test_shards_of_another_task_do_not_merge():
    with pytest.raises(SegDistillError, match="do not merge"):
        Overlap().merge(Overlap(THREE))


@given(masks=pair([0, 1]))
def test_precision_and_recall_are_those_of_counting_pixels_by_hand(masks):
    predicted, target = (mask == 1 for mask in masks)
    found, both = one(*masks), int((predicted & target).sum())
    nothing = float(not predicted.any() and not target.any())
    assert found["precision"] == pytest.approx(both / predicted.sum() if predicted.any() else nothing)
    assert found["recall"] == pytest.approx(both / target.sum() if target.any() else nothing)


def test_nothing_predicted_has_no_precision_and_nothing_true_no_recall():
    nothing, something = [[0, 0]], [[1, 0]]
    assert (one(nothing, something)["precision"], one(nothing, something)["recall"]) == (0, 0)
    assert (one(something, nothing)["precision"], one(something, nothing)["recall"]) == (0, 0)
    assert (one(nothing, nothing)["precision"], one(nothing, nothing)["recall"]) == (1, 1)


def test_rows_hold_every_measure_and_how_much_there_is_to_find():
    metric = Overlap()
    metric.update([np.array([[1, 1, 0, 0]])], [np.array([[1, 0, 0, 255]])], ["a"])
    assert metric.rows == [
        {"id": "a", "dice": 2 / 3, "iou": 0.5, "precision": 0.5, "recall": 1.0, "share": 1 / 3}
    ]
