"""The table of polyp students: its commands, what is collected, and what the page says of it."""

from __future__ import annotations

import json
import os

import pytest
import torch
import typer

from benchmarks.polyp_results import cells, record
from benchmarks.polyp_results.best import OWN, best
from benchmarks.polyp_results.cells import KDAS, MOBILENET, NONE, PVT, Grid
from benchmarks.polyp_results.page import page
from benchmarks.polyp_results.scoring import PROTOCOLS, score_file
from segdistill import config
from segdistill.cli import app
from segdistill.core import SegDistillError

FPN = cells.own()
SETS = {"Kvasir": 8, "CVC-ClinicDB": 6}


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path):
    for name in SETS:
        (tmp_path / "data/polyp/TestDataset" / name / "images").mkdir(parents=True)
    monkeypatch.setenv("SEGDISTILL_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def grid(tmp_path, **options):
    return Grid(tmp_path / "polyp", tmp_path / "polyp-lite/teacher", **options)


def test_every_cell_is_a_command_that_builds(tmp_path):
    table = grid(tmp_path, methods=(KDAS, MOBILENET, best(None, tmp_path / "none.json")), seeds=[0])
    group = typer.main.get_command(app)
    for arguments in (table.teacher_arguments, *(cell.arguments for cell in table.cells())):
        assert group.commands[arguments[0]].make_context(arguments[0], arguments[1:])
    found = [(cell, cell.configuration) for cell in table.cells()]
    for _, full in found[3:]:
        assert config.build_method(full["method"]).parts
    sizes = []
    for _, full in found[:3]:
        with torch.device("meta"):
            net = config.build_network(
                {**full["student"], "weights": "none"}, task=config.build_task("Binary")
            )
        sizes.append(sum(p.numel() for p in net.net.parameters()))
        assert all(
            any(n.startswith(s) for n, _ in net.net.named_parameters())
            for s in full["training"]["lr_factors"]
        )
    assert (sizes[0], sizes[2]) == (3_650_740, 5_198_161)


def test_trainings_of_the_other_benchmark_are_shared_with_it(tmp_path):
    table = grid(tmp_path, students=[PVT, FPN], methods=(KDAS, best(OWN)), seeds=[1])
    assert [str(cell.out.relative_to(tmp_path)) for cell in table.cells()] == [
        *("polyp/pvt-b0-none-1", "polyp-lite/baseline-1"),
        *("polyp/pvt-b0-KDAS-1", f"polyp/{FPN.name}-KDAS-1"),
        *("polyp/pvt-b0-KD+AT-1", "polyp-lite/distilled-1"),
    ]


def test_weights_of_a_file_make_another_row(tmp_path):
    [student, *_] = cells.students("weights/pvt_v2_b0.pth")
    assert student.name != PVT.name
    assert "ImageNet weights (pvt_v2_b0.pth)" in student.about
    assert record.written(["train", "-o", "student.weights=/somewhere/pvt_v2_b0.pth"]).endswith(
        "=pvt_v2_b0.pth"
    )


def test_students_and_methods_can_be_picked(tmp_path):
    every = grid(tmp_path, seeds=[0]).cells()
    assert {(c.student.name, c.method.name) for c in cells.only(every, "pvt-b0,KDAS")} == {("pvt-b0", "KDAS")}
    assert len(cells.only(every, "KDAS")) == len(cells.only(every, "pvt-b0")) == 3
    with pytest.raises(SegDistillError, match=r"'KDSA'.*KDAS"):
        cells.only(every, "KDSA")


def test_the_best_method_is_the_one_that_gained_most_at_equal_time(tmp_path):
    file = tmp_path / "methods.json"
    rows = {"KD": 0.01, "CWD": 0.02, "LabelSmoothing": 0.03}  # the last has no teacher
    measured = {n: {"weight": 2.5, "gain_at_equal_time": {"difference": d}} for n, d in rows.items()}
    file.write_text(json.dumps({"setup": {"options": {"CWD": {"temperature": 3.0}}}, "methods": measured}))
    assert best(None, file).overrides == ('method={"CWD": {"temperature": 3.0, "weight": 2.5}}',)
    assert best("AT", file).overrides == ('method={"AT": {}}',)
    assert best(None, tmp_path / "none.json").name == OWN
    with pytest.raises(SegDistillError, match="Did you mean 'CWD'"):
        best("CWE", file)


def finish(cell, runs, *, scored=0.0, changed=()):
    """A run folder as a training leaves it, and its scores; the images differ by a hundredth each."""
    cell.out.mkdir(parents=True)
    config.write(config.override(cell.configuration, list(changed)), cell.out / "config.yaml")
    (cell.out / "env.json").write_text("{}")
    (cell.out / "metrics.json").write_text(json.dumps({"seconds": 600.0}))
    if not scored:
        return
    for protocol in PROTOCOLS:
        dice, iou = record.MEASURES[protocol]
        file = score_file(runs, cell.out, protocol)
        file.parent.mkdir(parents=True, exist_ok=True)
        means = {}
        for name, count in SETS.items():
            values = [scored + 0.01 * (i - (count - 1) / 2) for i in range(count)]
            means[name] = {
                "images": count,
                dice: scored,
                iou: scored - 0.1,
                "protocol": protocol,
                "version": 1,
            }
            rows = "\n".join(f"{i},{v},{v - 0.1}" for i, v in enumerate(values))
            file.with_name(f"{file.stem}-{cell.out.name}-{name}.csv").write_text(f"id,{dice},{iou}\n{rows}\n")
        file.write_text(json.dumps({cell.out.name: means}))


def time(folder, *, fps):
    file = folder / "speed.json"
    rows = {"pvt-b0": fps, FPN.name: 30.0, "KDAS3": 10.0, "MobileNetV2 project": 12.0}
    networks = {
        name: {
            "size": 288,
            "parameters": 3_600_000,
            "gmac": 1.2,
            "fps": value,
            "common": {"gmac": 1.9, "fps": 8.0},
        }
        for name, value in rows.items()
    }
    env = {"processor": "2 x A", "threads": 2}
    file.write_text(json.dumps({"networks": networks, "rounds": 25, "busy": 2.5, "env": env}))
    return file


def test_finished_trainings_become_a_record_and_a_page(tmp_path):
    table = grid(tmp_path, students=[PVT], methods=(KDAS,), seeds=[0, 1, 2])
    for cell in table.cells():
        finish(cell, table.runs, scored=(0.91 if cell.method is NONE else 0.93) + 0.001 * cell.seed)
    found = json.loads(json.dumps(record.collect(table, time(table.runs, fps=14.0))))
    alone, taught = found["rows"]
    assert alone["scores"]["pranet-py"]["Kvasir"]["meanDic"]["mean"] == pytest.approx(0.911)
    assert taught["gains"]["dice@0.5"]["Kvasir"]["dice"]["difference"] == pytest.approx(0.02)
    assert (taught["seeds"], taught["gain_seeds"], found["left_out"]) == ([0, 1, 2], [0, 1, 2], {})
    text = page(found)
    assert "faster than both projects' students:** reached by pvt-b0 with KDAS (3 seeds)." in text
    assert "| pvt-b0 | none | 3 seeds | yes, 3.60 M | yes, .911 | no, .911 | yes, 14.0 FPS |" in text
    assert (
        "whose interval excludes zero:** reached.\n\n- pvt-b0 with KDAS on CVC-ClinicDB by `pranet-py`: +2.00"
        in text
    )
    assert "| pvt-b0 | KDAS | 3 | 3.60 M | 1.20 | 14.0 | .931 ± .001 / .831 ± .001 | .931 ± .001" in text
    assert "| *KDAS student: Polyp-PVT on PVTv2-b0, 3.7 M*" in text
    assert "neither scored nor in any average here: CVC-300, CVC-ColonDB, ETIS-LaribPolypDB." in text
    assert "The machine was busy (load 2.5)" in text
    assert "All 6 trainings are finished." in text


def test_what_is_not_reached_and_not_there_is_said(tmp_path):
    table = grid(tmp_path, students=[FPN], methods=(KDAS,), seeds=[0, 1, 2, 3])
    *finished, stale, raw = table.cells()
    for cell in finished:
        finish(cell, table.runs, scored=0.8 if cell.method is NONE else 0.79)
    finish(stale, table.runs, scored=0.9, changed=["training.epochs=3"])
    finish(raw, table.runs)
    found = record.collect(table, time(table.runs, fps=14.0))
    assert list(found["left_out"].values()) == [
        "trained with another training: section than its command says now",
        "not scored",
    ]
    text = page(found)
    assert "faster than both projects' students:** not reached." in text
    assert "excludes zero:** not reached.\n\nDistillation made it worse, likewise sure:\n\n- fpn-lite" in text
    assert "**Not complete: 6 of 8 trainings are in the tables.**" in text


def test_a_gain_of_few_seeds_is_no_answer(tmp_path):
    table = grid(tmp_path, students=[PVT], methods=(KDAS,), seeds=[0])
    for cell in table.cells():
        finish(cell, table.runs, scored=0.8 if cell.method is NONE else 0.9)
    text = page(record.collect(table, tmp_path / "none.json"))
    assert "excludes zero:** not known, no student has 3 seeds with and without a teacher." in text
    assert "| pvt-b0 | KDAS | Kvasir | `pranet-py` | +10.00 (+10.00 to +10.00) |" in text
    assert "| pvt-b0 | none | 1 seed | not known | no, .800 | no, .800 | not known |" in text


def test_scores_older_than_their_run_do_not_count(tmp_path):
    table = grid(tmp_path, students=[PVT], methods=(), seeds=[0])
    [cell] = table.cells()
    finish(cell, table.runs, scored=0.8)
    os.utime(cell.out / "metrics.json", (4e9, 4e9))
    assert record.why_not(cell, table.runs) == "not scored"


def test_a_table_without_any_training_says_so(tmp_path):
    text = page(record.collect(grid(tmp_path), tmp_path / "none.json"))
    assert "not known, nothing is trained yet." in text
    assert "Not measured yet." in text
    assert "- not begun: pvt-b0-none-0, " in text
