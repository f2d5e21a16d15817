from __future__ import annotations

import json
import math

import pytest

from segdistill.core import SegDistillError
from segdistill.report import html, runs, video

RECORD = {
    "file": "clip.mp4",
    "frames": 3,
    "height": 10,
    "width": 20,
    "fps": 5.0,
    "speed": {"network_fps": 20.0, "end_to_end_fps": 10.0, "device": "cpu"},
    "classes": {
        "polyp": {
            "iou": {"mean": 0.7},
            "iou_compensated": {"mean": 0.9},
            "flicker": None,
            "found": 1.0,
            "area_change_percent": 3.0,
        }
    },
    "per_frame": {"polyp": {"area": [20, 0, 10], "iou": [None, 0, 0], "iou_compensated": [None, 0.1, None]}},
}


@pytest.fixture
def folder(tmp_path):
    """Writes a run folder that saw a clip, and gives its summary."""

    def write(name, record):
        (tmp_path / name / "video").mkdir(parents=True)
        (tmp_path / name / "metrics.json").write_text("{}")
        (tmp_path / name / "video/clip.json").write_text(json.dumps(record))
        return runs.read_run(tmp_path / name)

    return write


def test_the_figure_shows_area_in_percent_and_both_lines_of_iou():
    area, iou = video.figure(RECORD).axes
    assert list(area.lines[0].get_xdata()) == [0, 0.2, 0.4]
    assert list(area.lines[0].get_ydata()) == [10, 0, 5]
    assert [line.get_label() for line in iou.lines] == ["polyp, motion compensated", "polyp, plain"]


def test_the_chart_is_a_png_also_where_rate_and_pairs_are_unknown():
    still = {"area": [1], "iou": [None], "iou_compensated": [None]}
    unknown = RECORD | {"fps": None, "frames": 1, "per_frame": {"polyp": still}}
    assert video.chart(unknown).startswith(b"\x89PNG")
    assert video.figure(unknown).axes[1].get_xlabel() == "Frame"


def test_names_are_drawn_as_they_are_and_set_no_formula():
    named = RECORD | {"file": r"a$_$b $\frac$ \u5185.mp4", "per_frame": {"$^$": RECORD["per_frame"]["polyp"]}}
    assert video.chart(named).startswith(b"\x89PNG")


def test_the_report_puts_networks_on_one_clip_next_to_each_other(folder):
    older = RECORD | {"frames": 9, "speed": {"network_fps": 20.0, "end_to_end_fps": 10.0}}
    summaries = [folder("teacher", RECORD), folder("student", RECORD), folder("late", older)]
    rows = video.rows(html.page.networks(summaries))
    assert [(row.label, row.frames) for row in rows] == [("teacher", 3), ("student", 3), ("late", 9)]
    assert [row.device for row in rows] == ["cpu", "cpu", ""]
    assert (rows[0].iou, rows[0].compensated, math.isnan(rows[0].flicker)) == (0.7, 0.9, True)
    page = html.render(summaries)
    assert ">Video</h2>" in page
    assert "<td>70.0</td><td>90.0</td>" in page


def test_a_strange_file_among_the_videos_is_named(folder):
    with pytest.raises(SegDistillError, match=r"video/clip\.json is no record of a video"):
        folder("run", {"hello": 1})
