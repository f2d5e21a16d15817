"""The table over all methods: pairing, what counts as equal time, and whose trials it holds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]

from benchmarks import methods, ranking  # noqa: E402
from segdistill.core import SegDistillError  # noqa: E402


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


def test_a_single_seed_has_a_gain_without_an_interval():
    found = ranking.gain(scores(0.7, seeds=(0,)), scores(0.8, seeds=(0,)))
    assert (found["low"], found["high"]) == (None, None)
    assert ranking.points(found) == "+10.00"


def test_there_is_no_gain_without_a_common_seed():
    assert ranking.gain(scores(0.7, seeds=(0,)), scores(0.8, seeds=(1,))) is None


@pytest.mark.parametrize(
    ("times", "expected"),
    [(1.0, 0.70), (0.9, 0.70), (1.9, 0.80), (1.9**0.5, 0.75), (3.6, 0.84), (5.0, 0.84)],
)
def test_the_student_alone_is_read_off_between_what_its_schedules_took(times, expected):
    alone = {1: scores(0.70), 2: scores(0.80), 4: scores(0.84)}
    found = ranking.at_time(alone, {1: 1.0, 2: 1.9, 4: 3.6}, times)
    assert found[1]["set/3"] == pytest.approx(expected)


def test_there_is_no_gain_at_equal_time_before_every_schedule_is_finished():
    alone = {1: scores(0.70), 2: scores(0.80), 4: {}}
    assert ranking.timed_gain(alone, {1: 60.0, 2: 120.0, 4: None}, scores(0.9), 1.5) is None


def test_an_empty_folder_gives_an_empty_table(tmp_path):
    record = ranking.collect(tmp_path, ["KD"])
    assert record["methods"] == {}
    assert ranking.table(record).startswith("| method | Dice |")


def write_run(folder, level, seconds, teacher=None):
    (folder / "scores").mkdir(parents=True)
    rows = "\n".join(f"{i},{level},{level}" for i in range(5))
    (folder / "scores" / "Kvasir.csv").write_text(f"id,dice,iou\n{rows}\n")
    (folder / "metrics.json").write_text("{}")
    (folder / "trial.json").write_text(json.dumps({"seconds": seconds, "teacher": teacher}))


def write_measurements(runs, name, **numbers):
    cost = {"weight": 2.5, "balanced": True, "parameters": 1200, "device": "2 CPU threads", "teacher": "t"}
    cost["milliseconds"] = {"supervised": 100.0, "distilled": 130.0}
    memory = {"peak_mib": 800.0, "teacher": "t"}
    for kind, record in (("cost", {**cost, "step_ratio": 1.3, **numbers}), ("memory", memory)):
        (runs / kind).mkdir(exist_ok=True)
        (runs / kind / f"{name}.json").write_text(json.dumps(record))


def test_finished_trials_become_a_table(tmp_path):
    for seed in (0, 1):
        for times, level in ((1, 0.6), (2, 0.7), (4, 0.8)):
            write_run(tmp_path / f"baseline-x{times}-{seed}", level, 60.0 * times)
        write_run(tmp_path / f"KD-{seed}", 0.9, (120.0, None)[seed], "t")
        write_run(tmp_path / f"AT-{seed}", 0.65, 300.0, "t")
    for name in ("KD", "AT", "SP", "alone"):
        write_measurements(tmp_path, name)
    record = json.loads(json.dumps(ranking.collect(tmp_path, ["AT", "KD", "SP", "CWD"])))
    assert record["methods"]["KD"]["gain"]["difference"] == pytest.approx(0.3)
    assert record["methods"]["KD"]["time_ratio"] == pytest.approx(2.0)
    assert record["methods"]["KD"]["gain_at_equal_time"]["difference"] == pytest.approx(0.2)
    lines = ranking.table(record, link=True).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| alone",
        "| alone, 2 x as long",
        "| alone, 4 x as long",
        "| [KD](KD.md)",
        "| [AT](AT.md)",
        "| [SP](SP.md)",
    ]
    assert "| 800 |" in lines[2]
    assert "+30.00 (+30.00 to +30.00)" in lines[5]
    assert "| 2.00 x | 130 | 1.30 x | 800 | 1,200 |" in lines[5]
    assert "| at most -15.00 (-15.00 to -15.00) |" in lines[6]


def test_trials_of_two_teachers_are_no_table(tmp_path):
    write_measurements(tmp_path, "KD")
    write_run(tmp_path / "KD-0", 0.9, 120.0, "another")
    with pytest.raises(
        SegDistillError, match=r"KD-0.trial\.json and .*KD\.json come from different teachers"
    ):
        ranking.collect(tmp_path, ["KD"])


def test_trials_of_another_teacher_are_not_gone_on_with(tmp_path, monkeypatch):
    write_measurements(tmp_path, "KD")
    monkeypatch.setattr(methods, "fingerprint", lambda _: "another")
    with pytest.raises(
        SegDistillError, match=r"another teacher than t, such as cost.KD\.json\. Name another"
    ):
        methods.check_teacher(tmp_path, Path("t"))
