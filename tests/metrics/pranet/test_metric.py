"""What goes in, what comes out, and what is refused."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from metrics.pranet.pairs import read, scored
from segdistill.core import SegDistillError
from segdistill.metrics import Metric, find_protocol
from segdistill.metrics.pranet import PRANET_MATLAB, PRANET_PY
from segdistill.metrics.pranet.summary import KEYS
from segdistill.tasks import Binary, Multiclass, Multilabel

MAP = np.array([[0, 70, 90], [3, 120, 255], [9, 200, 90]], np.uint8)
TRUTH = np.array([[0, 0, 0], [0, 255, 255], [0, 255, 0]], np.uint8)


@pytest.mark.parametrize("protocol", [PRANET_PY, PRANET_MATLAB], ids=lambda protocol: protocol.name)
def test_a_protocol_makes_a_metric_that_carries_its_name(protocol):
    metric = scored(protocol, (MAP, TRUTH))
    assert find_protocol(protocol.name) is protocol
    assert protocol.reads == "map"
    assert isinstance(metric, Metric)
    result = metric.compute()
    assert list(result) == [*KEYS, "images", "empty_images", "protocol", "version", "notes"]
    assert (result["protocol"], result["version"], metric.name) == (protocol.name, 1, protocol.name)
    assert result["notes"] == list(protocol.notes)


def test_a_row_has_the_id_first_and_every_key():
    metric = scored(PRANET_PY, (MAP, TRUTH), (TRUTH, TRUTH))
    assert [list(row) for row in metric.rows] == [["id", *KEYS]] * 2
    assert [row["id"] for row in metric.rows] == ["0", "1"]
    one = scored(PRANET_PY, (MAP, TRUTH)).compute()
    assert metric.rows[0] == {"id": "0", **{key: one[key] for key in KEYS}}


def test_floats_are_rounded_to_grey_levels_as_image_writers_do_it():
    for dtype in (np.float16, np.float32, np.float64):
        probabilities = (MAP / 255).astype(dtype)
        assert scored(PRANET_PY, (probabilities, TRUTH)).rows == scored(PRANET_PY, (MAP, TRUTH)).rows
    halves = np.array([[0.5 / 255, 1.5 / 255, 2.5 / 255]])  # 0, 2, 2
    error = scored(PRANET_PY, (halves, np.zeros((1, 3), np.uint8))).rows[0]["mae"]
    assert error == pytest.approx(4 / 255 / 3)


def test_true_masks_may_be_class_indices_bools_or_grey():
    expected = scored(PRANET_PY, (MAP, TRUTH)).rows
    for truth in (TRUTH > 0, (TRUTH > 0).astype(np.uint8), (TRUTH > 0).astype(np.int64), TRUTH // 255 * 128):
        assert scored(PRANET_PY, (MAP, truth)).rows == expected
    tensors = torch.from_numpy(MAP), torch.from_numpy(TRUTH)
    assert scored(PRANET_PY, tensors).rows == expected


def test_views_into_larger_arrays_score_the_same():
    wide = np.zeros((5, 9), np.uint8)
    wide[1:4, 2:8:2] = MAP
    turned = np.asfortranarray(TRUTH)
    assert scored(PRANET_PY, (wide[1:4, 2:8:2], turned)).rows == scored(PRANET_PY, (MAP, TRUTH)).rows


def test_an_image_is_kept_in_less_than_a_kilobyte_whatever_its_size():
    predicted, truth = read("01_soft_352")
    sizes = []
    for count in (1, 11):
        metric = scored(PRANET_PY, *[(predicted, truth)] * count)
        metric.compute()
        sizes.append(len(pickle.dumps(metric)))
    assert sizes[1] - sizes[0] < 10 * 1000


def test_undefined_scores_are_none_and_named():
    empty = np.zeros_like(TRUTH)
    result = scored(PRANET_PY, (MAP, empty)).compute()
    assert (result["wFm"], result["meanDic"], result["empty_images"]) == (None, 0.0, 1)
    assert any("wFm is undefined for 1 image" in note for note in result["notes"])
    first_row = np.array([[255, 255, 0], [0, 0, 0], [0, 0, 0]], np.uint8)
    result = scored(PRANET_PY, (first_row, first_row)).compute()
    assert result["Sm"] is None
    assert any("Sm is undefined for 1 image (the centre of mass" in note for note in result["notes"])
    result = scored(PRANET_PY, (MAP, np.full_like(TRUTH, 255))).compute()
    assert (result["meanSpe"], result["maxSpe"]) == (None, None)


@pytest.mark.parametrize(
    ("predicted", "truth", "message"),
    [
        (MAP[:, :2], TRUTH, r"map of 'a' is \(3, 2\), the true mask \(3, 3\); bring the logits"),
        (MAP[None], TRUTH, r"map of 'a' is \(1, 3, 3\); one channel \(H, W\) is needed"),
        (MAP.astype(np.uint16), TRUTH, "map of 'a' is uint16; give uint8 levels 0 to 255"),
        (MAP / 200, TRUTH, "map of 'a' reaches from 0 to 1.275; give probabilities"),
        (np.where(MAP > 200, np.nan, 0.5), TRUTH, "map of 'a' reaches from nan to nan"),
        (MAP, TRUTH.astype(np.int64), "true mask of 'a' is int64 from 0 to 255; give uint8 grey levels"),
        (MAP, TRUTH / 255, "true mask of 'a' is float64 from 0.0 to 1.0"),
        (
            MAP,
            np.array([[0, 1, 1], [0, 1, 255], [0, 0, 0]], np.uint8),
            "holds 0, 1 and 255, which looks like class indices",
        ),
        (np.zeros((0, 3), np.uint8), TRUTH, r"map of 'a' is \(0, 3\)"),
    ],
)
def test_pixels_that_mean_nothing_are_refused(predicted, truth, message):
    with pytest.raises(SegDistillError, match=message):
        PRANET_PY.metric().update([predicted], [truth], ["a"])


def test_a_refused_image_leaves_the_metric_as_it_was():
    metric = scored(PRANET_PY, (MAP, TRUTH))
    with pytest.raises(SegDistillError, match="reaches"):
        metric.update([MAP / 9.0], [TRUTH], ["1"])
    assert [row["id"] for row in metric.rows] == ["0"]


def test_ids_are_unique_and_lists_as_long_as_each_other():
    metric = scored(PRANET_PY, (MAP, TRUTH))
    with pytest.raises(SegDistillError, match="image '0' was scored twice"):
        metric.update([MAP], [TRUTH], ["0"])
    with pytest.raises(SegDistillError, match="image '0' was scored twice"):
        metric.merge(scored(PRANET_PY, (MAP, TRUTH)))
    with pytest.raises(SegDistillError, match="Got 1 predictions, 1 true masks and 2 ids"):
        metric.update([MAP], [TRUTH], ["1", "2"])


def test_scores_of_different_evaluators_do_not_merge():
    with pytest.raises(
        SegDistillError, match="Scores by 'pranet-matlab' do not merge into scores by 'pranet-py'"
    ):
        PRANET_PY.metric().merge(PRANET_MATLAB.metric())
    with pytest.raises(SegDistillError, match="do not merge"):
        PRANET_PY.metric().merge(replace(PRANET_PY, empty="skip").metric())


def test_nothing_to_average_is_an_error():
    with pytest.raises(SegDistillError, match="There are no images to score"):
        PRANET_PY.metric().compute()
    skipping = replace(PRANET_PY, empty="skip")
    with pytest.raises(
        SegDistillError, match="All 1 images have nothing to find, and 'pranet-py' skips such"
    ):
        scored(skipping, (MAP, np.zeros_like(TRUTH))).compute()


def test_a_rule_for_empty_masks_that_does_not_exist_names_those_that_do():
    with pytest.raises(
        SegDistillError, match="Unknown rule for empty masks 'pra-net'. Did you mean 'pranet'"
    ):
        replace(PRANET_PY, empty="pra-net")


def test_only_tasks_of_one_foreground_are_scored():
    assert PRANET_PY.metric(Binary()).rows == []
    for task in (Multiclass(("background", "liver", "tumour")), Multilabel(("polyp",))):
        with pytest.raises(SegDistillError, match="'pranet-py' scores maps of one foreground"):
            PRANET_PY.metric(task)
