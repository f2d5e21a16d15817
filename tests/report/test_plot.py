from __future__ import annotations

import struct
import sys

import matplotlib
import pytest

from segdistill.core import SegDistillError
from segdistill.report import history, plot
from segdistill.report.style import role_of, strokes


@pytest.fixture
def histories(runs):
    return history.read_all(runs)


def colors(axes):
    return [line.get_color() for line in axes.lines if len(line.get_xdata()) > 1]


@pytest.mark.parametrize(
    ("asked", "stem"),
    [
        ("cmp", "cmp"),
        ("cmp.png", "cmp"),
        ("cmp.PDF", "cmp"),
        ("cmp.svg", "cmp"),
        ("lr0.001", "lr0.001"),
        ("my.png.d/cmp.png", "my.png.d/cmp"),
        ("new/", "new/histories"),
    ],
)
def test_a_png_and_a_pdf_have_one_name_whatever_suffix_was_given(asked, stem):
    assert [str(path) for path in plot.names(asked)] == [f"{stem}.png", f"{stem}.pdf"]


def test_a_folder_that_exists_gets_the_pictures_inside(tmp_path):
    assert plot.names(tmp_path)[0] == tmp_path / "histories.png"


def test_a_png_and_a_pdf_are_written_and_nothing_else(histories, tmp_path):
    png, pdf = plot.save(histories, tmp_path / "new/cmp.png", dpi=50)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert set(png.parent.iterdir()) == {png, pdf}


def test_the_png_is_sharp_enough_for_print(histories, tmp_path):
    png, _ = plot.save(histories, tmp_path / "cmp")
    width, _ = struct.unpack(">II", png.read_bytes()[16:24])
    assert width >= 10 * 200  # a figure of ten inches


def test_the_same_histories_give_the_same_bytes(histories, tmp_path):
    first, second = (plot.save(histories, tmp_path / name, dpi=50) for name in ("a", "b"))
    assert [f.read_bytes() for f in first] == [f.read_bytes() for f in second]


def test_the_three_runs_have_the_colours_of_the_field(histories):
    left, right = plot.figure(histories).axes
    assert colors(left) == colors(right) == ["#009E73", "#D55E00", "#0072B2"]


def test_roles_may_be_given_instead_of_guessed(histories):
    left, _ = plot.figure(histories, roles=["baseline", "distilled", ""]).axes
    assert colors(left) == ["#D55E00", "#0072B2", "#CC79A7"]


def test_dice_is_shown_in_per_cent(histories):
    _, right = plot.figure(histories).axes
    assert 50 < max(right.lines[0].get_ydata()) <= 100


def test_a_negative_loss_is_not_cut_off(write_log, tmp_path):
    run = write_log(tmp_path / "a", ["epoch", "loss", "val_dice"], [[1, 0.5, 0.1], [2, -0.5, 0.2]])
    left, _ = plot.figure([history.read(run)]).axes
    assert left.get_ylim()[0] < -0.5


def test_a_loss_axis_begins_at_zero(histories):
    left, _ = plot.figure(histories).axes
    assert left.get_ylim()[0] == 0


def test_runs_of_different_length_share_one_plot(histories):
    left, _ = plot.figure(histories).axes
    assert [len(line.get_xdata()) for line in left.lines] == [8, 6, 6]


def test_a_run_of_one_epoch_is_a_point(write_run, tmp_path):
    run = write_run(tmp_path / "one", epochs=1)
    left, _ = plot.figure([history.read(run)]).axes
    assert left.lines[0].get_marker() == "o"


def test_seeds_of_one_network_share_a_colour_and_one_entry_of_the_legend(write_run, tmp_path):
    runs = [write_run(tmp_path / f"b{seed}", seed=seed) for seed in range(3)]
    figure = plot.figure([history.read(run, "Baseline") for run in runs])
    assert set(colors(figure.axes[0])) == {"#D55E00"}
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Baseline"]


def test_plotting_needs_no_display_and_leaves_pyplot_alone(histories, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)  # importing it now fails
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("MPLBACKEND", "TkAgg")
    before = dict(matplotlib.rcParams)
    plot.save(histories, tmp_path / "cmp", dpi=50)
    plot.svgs(histories)
    assert dict(matplotlib.rcParams) == before


def test_no_history_is_an_error():
    with pytest.raises(SegDistillError, match="no run to plot"):
        plot.figure([])


def test_further_runs_differ_in_colour_then_in_dash():
    found = strokes(["other"] * 8)
    assert len({(s.color, s.dash) for s in found}) == 8
    assert len({s.color for s in found[:4]}) == 4


@pytest.mark.parametrize(
    ("label", "distilled", "role"),
    [
        ("Teacher", False, "teacher"),
        ("runs/baseline-0", False, "baseline"),
        ("student without distillation", False, "baseline"),
        ("distilled", False, "distilled"),
        ("cwd", True, "distilled"),
        ("student", False, ""),
    ],
)
def test_the_role_is_guessed_from_the_label_then_from_the_terms(label, distilled, role):
    assert role_of(label, distilled=distilled) == role


def test_svg_takes_the_colours_of_the_page_and_brings_no_style_of_its_own(histories):
    (loss, first), (dice, second) = plot.svgs(histories)
    assert (loss, dice) == ("Training loss", "Validation Dice (%)")
    for svg in (first, second):
        assert "var(--c-d55e00, #d55e00)" in svg
        assert "currentColor" in svg
        assert "<style" not in svg
        assert "<metadata" not in svg
