import csv
import json

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.scoring import Scores
from segdistill.scoring.results import plain, refuse_shared_files, write_scores


class Metric:
    name = "made-up"
    rows = [{"id": "a", "dice": 1 / 3, "kidney": {"nsd": None}, "curve": [1, 2]}, {"id": "b", "dice": 0.5}]

    def compute(self):
        means = {"dice": np.float64(1 / 3), "hd95": float("nan"), "by_label": {"kidney": {"nsd": 0.25}}}
        return {**means, "images": np.int64(2), "protocol": "made-up", "version": 7, "notes": ["n", "n"]}


@pytest.fixture
def scores():
    found = Scores("made-up", 7)
    found.add("set one", Metric())
    return found


def test_the_json_has_full_precision_and_no_nan(scores, tmp_path):
    [path] = write_scores([scores], tmp_path / "new" / "out.json")
    kept = json.loads(path.read_text(), parse_constant=lambda constant: pytest.fail(constant))
    assert list(kept) == ["protocol", "version", "sets", "files", "per_image", "notes"]
    assert kept["sets"]["set one"] == {
        "dice": 1 / 3,
        "hd95": None,
        "by_label": {"kidney": {"nsd": 0.25}},
        "images": 2,
    }
    assert kept["per_image"]["set one"][0]["curve"] == [1, 2]
    assert kept["notes"] == ["n"]


def test_a_note_names_its_set_where_there_are_several(scores):
    found = Scores("made-up", 7, notes=["known"])
    Several = type("Several", (Metric,), {"compute": lambda self: {"notes": ["known", "one empty mask"]}})
    for name in ("near", "far"):
        found.add(name, Several(), several=True)
    assert found.notes == ["known", "near: one empty mask", "far: one empty mask"]


def test_the_csv_names_the_protocol_in_every_row(scores, tmp_path):
    write_scores([scores], tmp_path / "out.json")
    rows = list(csv.DictReader((tmp_path / "out-set one.csv").read_text().splitlines()))
    assert list(rows[0]) == ["id", "dice", "kidney.nsd", "protocol", "version"]
    assert [row["protocol"] + row["version"] for row in rows] == ["made-up7", "made-up7"]
    assert float(rows[0]["dice"]) == 1 / 3
    assert rows[0]["kidney.nsd"] == rows[1]["kidney.nsd"] == ""


def test_several_protocols_get_a_file_each(scores, tmp_path):
    other = Scores("dice/2", 1, sets={"x": {}}, per_image={"x": []})
    written = write_scores([scores, other], tmp_path / "out.json")
    assert [path.name for path in written] == ["out-made-up.json", "out-dice_2.json"]
    assert (tmp_path / "out-dice_2-x.csv").read_text() == "id,protocol,version\n"


def test_plain_turns_numpy_into_python():
    assert plain({"a": np.array([1.0, np.inf]), 2: (np.bool_(True),)}) == {"a": [1.0, None], "2": [True]}


def test_runs_whose_files_would_be_the_same_are_refused():
    refuse_shared_files(["a/b", "a"], ["x", "y"])
    for labels, sets in ((["a/b", "a_b"], ["x"]), (["a", "a-b"], ["b-c", "c"])):
        with pytest.raises(SegDistillError, match="The files of run .* both are called .*; rename one of"):
            refuse_shared_files(labels, sets)
