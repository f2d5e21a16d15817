"""What holds for every protocol of volumes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from segdistill.core import SegDistillError
from segdistill.metrics import PROTOCOLS
from segdistill.metrics.base import Metric
from segdistill.metrics.volumes import CASE_3D, KITS23, LITS, Volumes

from .shapes import SPACING, labels, pairs_of_volumes

FAMILY = [protocol for protocol in PROTOCOLS.values() if isinstance(protocol, Volumes)]
every = pytest.mark.parametrize("protocol", FAMILY, ids=lambda protocol: protocol.name)
CASES = [(f"case_{n}", labels(n, 3), labels(n // 2, 3)) for n in range(6)]


def filled(protocol, cases=CASES, spacing=SPACING):
    metric = protocol.metric()
    for name, predicted, target in cases:
        metric.update([predicted], [target], [name], spacing=spacing)
    return metric


def test_the_family_is_in_the_catalogue():
    assert [protocol.name for protocol in FAMILY] == ["kits19", "kits23", "lits", "case-3d", "slice-2d"]
    assert all(protocol.reads == "volume" and protocol.reference for protocol in FAMILY)


@every
def test_parts_merge_to_the_whole_to_the_last_bit(protocol):
    whole = filled(protocol)
    for cut in (0, 2, 6):
        part, rest = filled(protocol, CASES[cut:][::-1]), filled(protocol, CASES[:cut])
        part.merge(rest)
        assert part.compute() == whole.compute()
        assert part.rows == whole.rows


@every
def test_a_row_starts_with_its_id_and_is_plain(protocol):
    metric = filled(protocol)
    assert isinstance(metric, Metric)
    assert [next(iter(row.items())) for row in metric.rows] == [("id", f"case_{n}") for n in range(6)]
    assert json.loads(json.dumps(metric.rows)) == metric.rows
    scores = metric.compute()
    assert json.loads(json.dumps(scores)) == scores
    assert (scores["cases"], scores["protocol"], scores["version"]) == (6, protocol.name, protocol.version)
    assert scores["notes"] == list(protocol.notes)


@every
def test_a_perfect_case_is_perfect(protocol):
    scores = filled(protocol, [("a", labels(0, 3), labels(0, 3))]).compute()
    perfect = {"dice": 1, "jaccard": 1, "surface_dice": 1, "nsd": 1}
    for key, value in scores.items():
        measure = key.split("_", 1)[-1] if not key.startswith("label") else key.split("_", 2)[-1]
        if isinstance(value, float) and key not in ("lesion_precision", "lesion_recall"):
            assert value == perfect.get(measure, perfect.get(key, 1.0 if "dice" in key else 0.0)), key


@every
@settings(max_examples=30, deadline=None)
@given(pair=pairs_of_volumes(3))
def test_no_volume_gives_nan(protocol, pair):
    metric = filled(protocol, [("a", *pair)])
    assert json.dumps([metric.rows, metric.compute()], allow_nan=False)


@every
@pytest.mark.parametrize(
    "change",
    [
        np.asfortranarray,
        lambda volume: volume.astype(np.int64),
        lambda volume: volume.astype(np.int16),
        torch.from_numpy,
        lambda volume: np.pad(volume, ((0, 3), (2, 0), (1, 1))),
        lambda volume: volume.transpose(2, 0, 1).copy().transpose(1, 2, 0),
    ],
    ids=["Fortran", "int64", "int16", "tensor", "padded", "strided"],
)
def test_only_the_labels_matter(protocol, change):
    changed = [(name, change(predicted), change(target)) for name, predicted, target in CASES[:2]]
    assert filled(protocol, changed).rows == filled(protocol, CASES[:2]).rows


@pytest.mark.parametrize("protocol", [KITS23, LITS, CASE_3D], ids=lambda protocol: protocol.name)
def test_axes_turn_with_their_spacing(protocol):
    turned = [(name, p.transpose(2, 0, 1), t.transpose(2, 0, 1)) for name, p, t in CASES]
    there = filled(protocol, turned, spacing=(SPACING[2], SPACING[0], SPACING[1])).compute()
    here = filled(protocol, CASES).compute()
    assert there["dice"] == here["dice"]
    for measure in protocol.measures:
        keys = [key for key in here if key.endswith(measure)]
        assert [there[key] for key in keys] == pytest.approx([here[key] for key in keys], rel=1e-9)


def test_a_deviation_needs_two_cases():
    one, two = filled(KITS23, CASES[:1]).compute(), filled(KITS23, CASES[:2]).compute()
    values = [row["kidney_dice"] for row in filled(KITS23, CASES[:2]).rows]
    assert one["spread"]["kidney_dice"]["sd"] is None
    assert two["spread"]["kidney_dice"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert two["spread"]["kidney_dice"]["median"] == pytest.approx(np.median(values))


ONE = np.ones((2, 3, 4), dtype=int)


@every
@pytest.mark.parametrize(
    ("predicted", "target", "message"),
    [
        (ONE[:, :2], ONE, r"predicted volume of 'a' is \(2, 2, 4\), the true one \(2, 3, 4\)"),
        (ONE[0], ONE[0], r"mask of 'a' is \(3, 4\), not a volume \(D, H, W\); stack the slices"),
        (ONE[:0], ONE[:0], r"is \(0, 3, 4\), not a volume"),
        (ONE, ONE * 1.0, "true volume of 'a' is float64, not class indices"),
        (
            ONE,
            -ONE,
            "true volume of 'a' holds the label -1; .* knows .* ignores no voxel: write one of these there",
        ),
        (ONE * 300, ONE, "predicted volume of 'a' holds the label 300; .* knows"),
    ],
    ids=["shape", "2-D", "nothing", "float", "negative", "large"],
)
def test_what_is_no_volume_of_labels_is_refused(protocol, predicted, target, message):
    with pytest.raises(SegDistillError, match=message):
        protocol.metric().update([predicted], [target], ["a"], spacing=SPACING)


def test_a_label_that_the_protocol_does_not_know_is_named():
    with pytest.raises(
        SegDistillError, match="'a' holds the label 3; 'lits' knows 0 background, 1 liver, 2 tumour,"
    ):
        LITS.metric().update([ONE * 3], [ONE], ["a"], spacing=SPACING)


@pytest.mark.parametrize(
    ("spacing", "message"),
    [
        (None, r"'lits' measures in millimetres; give spacing=\(z, y, x\)"),
        ((1, 1), r"three lengths .* got \(1.0, 1.0\)"),
        ((0, 1, 1), "three lengths"),
        ((1, float("nan"), 1), "three lengths"),
    ],
)
def test_millimetres_need_a_spacing(spacing, message):
    with pytest.raises(SegDistillError, match=message):
        LITS.metric().update([ONE], [ONE], ["a"], spacing=spacing)


def test_a_case_counts_once():
    metric = filled(LITS, CASES[:2])
    with pytest.raises(SegDistillError, match="'case_1' was scored twice"):
        metric.update([ONE], [ONE], ["case_1"], spacing=SPACING)
    with pytest.raises(SegDistillError, match="'case_0' was scored twice"):
        metric.merge(filled(LITS, CASES[:1]))
    with pytest.raises(SegDistillError, match="by case-3d do not merge into .* by lits"):
        metric.merge(filled(CASE_3D, CASES[3:]))
    assert [row["id"] for row in metric.rows] == ["case_0", "case_1"]


def test_lists_have_one_length_and_something_in_them():
    with pytest.raises(SegDistillError, match="Got 1 predictions, 2 true masks and 1 ids"):
        LITS.metric().update([ONE], [ONE, ONE], ["a"], spacing=SPACING)
    with pytest.raises(SegDistillError, match="no cases to score"):
        LITS.metric().compute()
