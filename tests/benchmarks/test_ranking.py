"""The table over all methods: pairing, intervals and what counts as equal time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

from benchmarks import ranking  # noqa: E402


def scores(level, seeds=(0, 1, 2), images=20, spread=0.0):
    rng = np.random.default_rng(0)
    return {s: {f"set/{i}": level + spread * rng.normal() for i in range(images)} for s in seeds}


def test_a_gain_is_the_mean_paired_difference():
    found = ranking.gain(scores(0.7), scores(0.75))
    assert found["difference"] == pytest.approx(0.05)
    assert (found["low"], found["high"]) == (pytest.approx(0.05), pytest.approx(0.05))
    assert (found["seeds"], found["images"]) == ([0, 1, 2], 20)


def test_a_gain_compares_seeds_and_images_that_both_have():
    after = scores(0.8, seeds=(1, 2, 3), images=10)
    found = ranking.gain(scores(0.7), after)
    assert (found["seeds"], found["images"]) == ([1, 2], 10)


def test_there_is_no_gain_without_a_common_seed():
    assert ranking.gain(scores(0.7, seeds=(0,)), scores(0.8, seeds=(1,))) is None


def test_a_gain_of_one_seed_only_has_a_wide_interval():
    lucky = np.array([[0.3] * 50, [0.0] * 50, [0.0] * 50])
    steady = np.full((3, 50), 0.1)
    assert np.diff(ranking.interval(lucky)) > 0.15
    assert np.diff(ranking.interval(steady)) == pytest.approx(0)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(100):
        drawn = 0.02 + 0.05 * rng.normal(size=(8, 1)) + 0.2 * rng.normal(size=(8, 60))
        low, high = ranking.interval(drawn, draws=400)
        hits += low <= 0.02 <= high
    assert 85 <= hits <= 100


@pytest.mark.parametrize(
    ("times", "expected"),
    [(1.0, 0.70), (0.9, 0.70), (2.0, 0.80), (2**0.5, 0.75), (4.0, 0.84), (8**0.5, 0.82)],
)
def test_the_student_alone_is_read_off_between_its_schedules(times, expected):
    alone = {1: scores(0.70), 2: scores(0.80), 4: scores(0.84)}
    found = ranking.at_length(alone, times)
    assert found[1]["set/3"] == pytest.approx(expected)


def test_an_empty_folder_gives_an_empty_table(tmp_path):
    record = ranking.collect(tmp_path, ["KD"])
    assert record["methods"] == {}
    assert ranking.table(record).startswith("| method | Dice |")


def write_run(folder, level):
    (folder / "scores").mkdir(parents=True)
    rows = "\n".join(f"{i},{level},{level}" for i in range(5))
    (folder / "scores" / "Kvasir.csv").write_text(f"id,dice,iou\n{rows}\n")
    (folder / "metrics.json").write_text("{}")
    (folder / "trial.json").write_text(
        json.dumps({"peak_megabytes": 100.0 * level, "device": "2 CPU threads"})
    )


def test_finished_trials_become_a_table(tmp_path):
    for seed in (0, 1):
        for times, level in ((1, 0.6), (2, 0.7), (4, 0.8)):
            write_run(tmp_path / f"baseline-x{times}-{seed}", level)
        write_run(tmp_path / f"KD-{seed}", 0.9)
        write_run(tmp_path / f"AT-{seed}", 0.65)
    (tmp_path / "cost").mkdir()
    for name, times in (("KD", 2.0), ("AT", 5.0), ("SP", 1.1)):
        cost = {"weight": 2.5, "times": times, "parameters": 1200, "device": "2 CPU threads"}
        cost["milliseconds"] = {"supervised": 100.0, "distilled": 100 * times}
        (tmp_path / "cost" / f"{name}.json").write_text(json.dumps(cost))
    record = json.loads(json.dumps(ranking.collect(tmp_path, ["AT", "KD", "SP", "CWD"])))
    assert record["methods"]["KD"]["gain"]["difference"] == pytest.approx(0.3)
    assert record["methods"]["KD"]["gain_at_equal_time"]["difference"] == pytest.approx(0.2)
    assert record["methods"]["KD"]["megabytes"] == pytest.approx(90)
    lines = ranking.table(record, link=True).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| alone",
        "| alone, 2 x as long",
        "| alone, 4 x as long",
        "| [KD](KD.md)",
        "| [AT](AT.md)",
        "| [SP](SP.md)",
    ]
    assert "+30.00 (+30.00 to +30.00)" in lines[5]
    assert "-15.00 (-15.00 to -15.00) (at least)" in lines[6]
    assert "1,200" in lines[5]
