import pytest

from segdistill.engine import logs


def row(epoch, **values):
    return {"epoch": epoch, "step": 10 * epoch, "lr": 1e-3, "seconds": 1.0, "loss": 0.5, **values}


def test_rows_after_the_checkpoint_are_written_again(tmp_path):
    log = logs.Log(tmp_path / "log.csv")
    for epoch in (1, 2, 3):
        log.add(row(epoch))
    resumed = logs.Log(tmp_path / "log.csv", until=1)
    resumed.add(row(2, loss=0.25))
    assert [(r["epoch"], r["loss"]) for r in logs.read(tmp_path / "log.csv")] == [("1", "0.5"), ("2", "0.25")]


def test_a_term_that_comes_later_was_zero_before(tmp_path):
    log = logs.Log(tmp_path / "log.csv")
    log.add(row(1))
    log.add(row(2, late=0.5))
    assert [r["late"] for r in logs.read(tmp_path / "log.csv")] == ["0", "0.5"]


def test_a_new_run_ignores_no_rows(tmp_path):
    assert logs.Log(tmp_path / "log.csv").rows == []


def test_lines_show_losses_by_name_scores_and_the_time_left(capsys):
    lines = logs.Lines()
    lines.row(row(1, task=0.4, val_dice=0.9), epochs=3)
    out = capsys.readouterr().out
    assert out.startswith("epoch 1/3  loss 0.5000  task 0.4000  val_dice 0.9000")
    assert out.rstrip().endswith("left")


def test_every_terms_share_is_shown_before_the_first_step(capsys):
    logs.Lines().begin({"task": {"value": 1.5, "share": 0.75}, "KD/logits": {"value": 0.5, "share": 0.25}})
    assert capsys.readouterr().out == "before step 1  task 1.5000 (75%)  KD/logits 0.5000 (25%)\n"


def test_a_bar_shows_losses_by_name():
    pytest.importorskip("rich")
    bar = logs.Bar()
    bar.step(0, 3, 10, {"task": 0.4, "KD/logits": 0.1})
    task = bar.bar.tasks[0]
    assert (task.completed, task.total) == (3, 10)
    assert task.description == "task 0.4000  KD/logits 0.1000"
    bar.close()


def test_there_is_a_bar_on_a_terminal_and_lines_in_a_pipe(monkeypatch):
    assert type(logs.display()) is logs.Lines
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    shown = logs.display()
    assert type(shown) is logs.Bar
    shown.close()
