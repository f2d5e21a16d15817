from __future__ import annotations

import json

import pytest

from segdistill import Multiclass, Tapped
from segdistill.engine import evaluate, train
from segdistill.engine.results import Judged, details
from segdistill.metrics import Calibration
from segdistill.report import collect, html
from segdistill.tasks import Binary
from toys import Discs, tiny_net


def judged(task, channels, **shard):
    calibration = Calibration(task)
    net = Tapped(tiny_net(channels))
    return Judged(evaluate(net, Discs(6), task=task, calibration=calibration, **shard), calibration)


def test_a_run_stores_calibration_and_sizes_of_every_test_set_and_its_report_shows_them(
    data, quiet, short, tmp_path
):
    run = train(tiny_net(), data, out=tmp_path / "run", training=short, display=quiet)
    stored = json.loads((run.path / "scores" / "discs.json").read_text())
    assert 0 < stored["calibration"]["ece"] < 1
    assert stored["calibration"]["pixels"] == 4 * 32 * 32
    assert sum(bucket["images"] for bucket in stored["sizes"]["buckets"].values()) == 4
    assert stored["sizes"]["buckets"]["empty"]["images"] == 1
    page = html.render(collect([run.path]))
    assert "Reliability on discs" in page
    assert "By size of what there is to find" in page


def test_calibration_sees_the_probabilities_of_the_network():
    metric = judged(Binary(), 1).calibration
    net, sample = Tapped(tiny_net()).eval(), Discs(6)[2]
    logits = net(sample["image"][None].float() / 255).logits
    assert metric.rows[2]["predicted"] == pytest.approx(logits.sigmoid().mean().item(), rel=1e-5)


def test_shards_of_calibration_merge_to_the_whole():
    whole = judged(Binary(), 1).calibration
    one, two = (judged(Binary(), 1, shard=(rank, 2)).calibration for rank in (0, 1))
    one.merge(two)
    assert one.compute() == whole.compute()


def test_several_classes_have_a_calibration_but_no_sizes():
    found = details(judged(Multiclass(("a", "b", "c")), 3))
    assert found["calibration"]["brier_form"] == "multi-class"
    assert "sizes" not in found


def test_a_network_is_judged_without_calibration_too():
    assert evaluate(tiny_net(), Discs(2)).compute()["images"] == 2
