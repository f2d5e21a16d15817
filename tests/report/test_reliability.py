from __future__ import annotations

import json

import numpy as np
import pytest

from segdistill.metrics import Calibration, by_size
from segdistill.report import collect, html, page, reliability, sizes
from segdistill.tasks import Multiclass

SETS = ("Kvasir", "CVC")


def calibration(seed=0, *, sharpness=1.0, classes=0):
    """What a network stores that is the surer of itself the sharper it is."""
    rng = np.random.default_rng(seed)
    if classes:
        task = Multiclass(tuple("abcdef"[:classes]))
        p = rng.dirichlet(np.ones(classes), (20, 30)).transpose(2, 0, 1)
        metric, target = Calibration(task), rng.integers(0, classes, (20, 30))
    else:
        metric, p = Calibration(), rng.random((40, 50))
        target = (rng.random(p.shape) < p).astype(int)
        p = p**sharpness / (p**sharpness + (1 - p) ** sharpness)
    metric.update([p], [target], ["a"])
    return metric.compute()


def store(run, **details):
    for name in SETS:
        (run / "scores" / f"{name}.json").write_text(json.dumps(details))


@pytest.fixture
def stored(runs):
    shares = np.linspace(0, 0.3, 20)
    for seed, run in enumerate(runs.values()):
        rows = [{"dice": 0.5 + 0.1 * seed + share, "share": share} for share in shares]
        store(run, calibration=calibration(seed, sharpness=1 + seed), sizes=by_size(rows))
    return runs


def networks(runs):
    return page.networks(collect(runs))


def text(runs):
    return " ".join(html.render(collect(runs)).replace("&nbsp;", " ").split())


def test_what_a_run_stored_is_read(stored):
    found = collect(stored)[0].details["Kvasir"]
    assert found["calibration"] == calibration(0)
    assert set(found["sizes"]["buckets"]) == {"empty", "small", "medium", "large"}


def test_the_page_shows_calibration_and_sizes_where_they_were_stored(stored):
    shown = text(stored)
    assert "Reliability on Kvasir" in shown
    assert "By size of what there is to find" in shown
    assert f"{100 * calibration(2, sharpness=3)['ece']:.2f}" in shown
    assert "Small is below 2 % of the image's pixels, large from 10 %." in shown


def test_a_page_without_such_files_says_nothing_of_them(runs):
    shown = text(runs)
    assert "Calibration" not in shown
    assert "By size" not in shown


def test_one_run_without_them_has_an_en_dash(stored):
    for name in SETS:
        (stored["Baseline"] / "scores" / f"{name}.json").unlink()
    row = networks(stored)[1]
    assert np.isnan(reliability.spread(row, "Kvasir", "ece").mean)
    assert "\N{EN DASH}" in text(stored)
    assert len(reliability.figure(networks(stored), "Kvasir").axes[0].lines) == 3


def test_the_curve_is_that_of_the_bins_and_shares_sum_to_one(stored):
    row = networks(stored)[0]
    curve = reliability.curve(row, "Kvasir", "foreground")
    bins = calibration(0)["curves"]["foreground"]
    assert curve.confidence == pytest.approx([each["confidence"] for each in bins])
    assert curve.frequency == pytest.approx([each["frequency"] for each in bins])
    assert sum(curve.share) == pytest.approx(1)


def test_seeds_are_pooled_in_the_curve_and_spread_in_the_table(stored):
    row = networks({"A": [stored["Teacher"], stored["Baseline"]]})[0]
    first, second = calibration(0), calibration(1, sharpness=2)
    found = reliability.spread(row, "Kvasir", "ece")
    assert found.mean == pytest.approx((first["ece"] + second["ece"]) / 2)
    curve = reliability.curve(row, "Kvasir", "foreground")
    both = [each["curves"]["foreground"][3] for each in (first, second)]
    pixels = sum(each["pixels"] for each in both)
    expected = sum(each["pixels"] * each["frequency"] for each in both) / pixels
    assert curve.frequency[3] == pytest.approx(expected)
    assert curve.share[3] == pytest.approx(pixels / 4000)


def test_bins_without_pixels_are_no_points(runs):
    metric = Calibration()
    metric.update([np.array([[0.9, 0.1]])], [np.array([[1, 0]])], ["a"])
    store(runs["Teacher"], calibration=metric.compute())
    curve = reliability.curve(networks(runs)[0], "Kvasir", "foreground")
    assert len(curve.confidence) == 2


def test_networks_with_several_classes_are_judged_by_the_one_they_chose(runs):
    for run in runs.values():
        store(run, calibration=calibration(classes=4))
    rows = networks(runs)
    assert reliability.form(rows, "Kvasir") == "top_label"
    assert reliability.error(rows, "Kvasir") == "ece_top_label"
    above, below = reliability.figure(rows, "Kvasir").axes
    assert above.get_ylabel() == "Share that is right"
    assert below.get_xlabel() == "Probability of the chosen class"
    assert "A curve below the line is too sure." in text(runs)


def test_a_network_has_one_colour_in_both_panels_and_on_the_page(stored):
    rows = networks(stored)
    above, below = reliability.figure(rows, "Kvasir").axes
    colors = [row.stroke.color for row in rows]
    assert [line.get_color() for line in above.lines[1:]] == colors
    assert [line.get_color() for line in below.lines] == colors
    (name, svg), _ = reliability.svgs(rows)
    assert name in SETS
    assert "var(--c-d55e00, #d55e00)" in svg
    assert "<style" not in svg


def test_the_same_runs_give_the_same_drawing(stored):
    assert reliability.svgs(networks(stored)) == reliability.svgs(networks(stored))


def test_only_buckets_with_images_are_columns(runs):
    store(runs["Teacher"], sizes=by_size([{"dice": 0.5, "share": 0.05}]))
    (column, _) = sizes.columns(networks(runs))
    assert column.buckets == (("medium", 1),)
    assert "1 image<" in text(runs)


def test_sizes_are_averaged_over_seeds(stored):
    row = networks({"A": [stored["Teacher"], stored["Baseline"]]})[0]
    column = sizes.columns([row])[0]
    found = sizes.spread(row, column, "large")
    assert found.deviation == pytest.approx(0.1 / np.sqrt(2))


def test_runs_that_divide_sizes_otherwise_are_not_mixed_in(stored):
    store(stored["Baseline"], sizes=by_size([{"dice": 0.5, "share": 0.05}], limits=(0.01, 0.5)))
    rows = networks(stored)
    column = sizes.columns(rows)[0]
    assert np.isnan(sizes.spread(rows[1], column, "medium").mean)
    assert not np.isnan(sizes.spread(rows[2], column, "medium").mean)
