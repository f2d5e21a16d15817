from __future__ import annotations

import math

import pytest

from segdistill.core import SegDistillError
from segdistill.report import history

HEADER = ["epoch", "step", "lr", "seconds", "loss", "task", "val_dice", "val_iou"]


def row(epoch, *, loss=0.5, dice=0.8, iou=0.7):
    return [epoch, 10 * epoch, 1e-3, 5, loss, loss, dice, iou]


def test_a_history_knows_its_best_epochs_and_its_final_loss(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1, dice=0.7), row(2, dice=0.9), row(3, loss=0.25, dice=0.8)])
    found = history.read(run)
    assert found.label == "a"
    assert found.final_loss == 0.25
    assert (found.best("val_dice").value, found.best("val_dice").epoch) == (0.9, 2)


def test_the_earliest_epoch_wins_a_tie(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1), row(2)])
    assert history.read(run).best("val_dice").epoch == 1


def test_the_log_file_itself_may_be_named(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1)])
    assert history.read(run / "log.csv").label == "a"


def test_epochs_without_validation_do_not_hide_the_best(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1, dice=""), row(2, dice=0.6), row(3, dice="nan")])
    found = history.read(run)
    assert found.best("val_dice").value == 0.6
    assert math.isnan(found.columns["val_dice"][0])


def test_a_row_cut_off_by_a_kill_is_left_out(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1), [2, 20, 0.001]])
    assert history.read(run).epochs == (1,)


def test_of_an_epoch_that_was_run_again_the_last_counts(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1), row(2, loss=9), row(2, loss=0.1)])
    found = history.read(run)
    assert found.epochs == (1, 2)
    assert found.final_loss == 0.1


def test_terms_beside_the_task_mean_distillation(runs):
    plain, distilled = history.read_all([runs["Baseline"], runs["Distilled"]])
    assert not plain.distilled
    assert distilled.distilled


def test_the_table_gives_scores_in_per_cent_with_their_epochs(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1, dice=0.91234), row(2)])
    assert history.table([history.read(run, "Baseline")]) == [
        {
            "Run": "Baseline",
            "Epochs": "2",
            "Final loss": "0.5000",
            "Best Dice % (epoch)": "91.23 (1)",
            "Best IoU % (epoch)": "70.00 (1)",
        }
    ]


def test_the_text_is_aligned_and_shows_gaps_as_hyphens(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1, iou="")])
    title, line = history.text([history.read(run)]).splitlines()
    assert len(title) == len(line)
    assert line.endswith(" -")


def test_equal_folder_names_get_their_parents_too(write_log, tmp_path):
    for name in ("x/student", "y/student", "teacher"):
        write_log(tmp_path / name, HEADER, [row(1)])
    found = history.read_all([tmp_path / n for n in ("x/student", "y/student", "teacher", "teacher")])
    assert [h.label for h in found] == ["x/student", "y/student", "teacher"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(SegDistillError, match=r"gone has no log\.csv: the folder does not exist"):
        history.read(tmp_path / "gone")


def test_a_folder_without_a_log_is_questioned(tmp_path):
    with pytest.raises(SegDistillError, match=r"has no log\.csv: is it a run folder\?"):
        history.read(tmp_path)


def test_an_empty_log_is_said_to_be_empty(tmp_path):
    (tmp_path / "log.csv").write_text("")
    with pytest.raises(SegDistillError, match=r"log\.csv is empty"):
        history.read(tmp_path)


def test_a_log_without_an_epoch_is_too_young(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [])
    with pytest.raises(SegDistillError, match="holds no epoch yet"):
        history.read(run)


def test_a_missing_column_is_named(write_log, tmp_path):
    run = write_log(tmp_path / "a", ["epoch", "loss"], [[1, 0.5]])
    with pytest.raises(SegDistillError, match="no column 'val_dice': its columns are epoch, loss"):
        history.read(run)


def test_a_word_among_the_numbers_is_named(write_log, tmp_path):
    run = write_log(tmp_path / "a", HEADER, [row(1, loss="oops")])
    with pytest.raises(SegDistillError, match="holds 'oops' where a number should be"):
        history.read(run)


@pytest.mark.parametrize("call", [lambda: history.read_all([]), lambda: history.text([])])
def test_no_run_at_all_is_an_error(call):
    with pytest.raises(SegDistillError, match="name at least one run folder"):
        call()
