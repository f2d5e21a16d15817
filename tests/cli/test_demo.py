"""`segdistill demo`, with a recipe that takes a second."""

from __future__ import annotations

from segdistill import config
from segdistill.engine import Run


def test_the_demo_goes_the_whole_way_and_goes_on_where_it_stopped(run, recipe, tmp_path, monkeypatch):
    small = config.read(recipe)
    monkeypatch.setattr(config, "read", lambda name: small if name == "demo" else read(name))
    read = config.files.read
    out = tmp_path / "demo"
    first = run("demo", "--out", out)
    assert first.exit_code == 0, first.output
    assert f"Open {out / 'report.html'}" in first.stdout
    assert "data:image/" in (out / "report.html").read_text()
    assert [Run.load(out / name).is_finished for name in ("teacher", "baseline", "distilled")] == [True] * 3

    (out / "distilled" / "metrics.json").unlink()
    before = (out / "teacher" / "log.csv").stat().st_mtime_ns
    second = run("demo", "--out", out)
    assert second.exit_code == 0, second.output
    assert Run.load(out / "distilled").is_finished
    assert (out / "teacher" / "log.csv").stat().st_mtime_ns == before


def test_the_demo_prints_the_scores_side_by_side(run, recipe, tmp_path, monkeypatch):
    small, read = config.read(recipe), config.read
    monkeypatch.setattr(config, "read", lambda name: small if name == "demo" else read(name))
    lines = run("demo", "--out", tmp_path / "demo").stdout.splitlines()
    assert [line.split()[0] for line in lines if " synthetic " in line] == [
        "teacher",
        "baseline",
        "distilled",
    ]
