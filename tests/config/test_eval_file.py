"""KDAS3's and UACANet's eval.yaml."""

import pytest

from segdistill.config.eval_file import EvalFile, read_eval
from segdistill.core import SegDistillError

THEIRS = """
Eval:
    gt_root: "./dataset/TestDataset/"
    pred_root: "./result_map/PolypPVT_vis"
    result_path: "results"
    datasets: ['CVC-300', 'Kvasir']
    metrics: ['meanDic', 'mae']
"""


@pytest.fixture
def read(tmp_path):
    def parse(text):
        path = tmp_path / "eval.yaml"
        path.write_text(text)
        return read_eval(path, known=("meanDic", "mae"))

    return parse


def test_their_file_is_read_as_it_is(read):
    found = read(THEIRS)
    assert isinstance(found, EvalFile)
    assert (found.datasets, found.metrics) == (("CVC-300", "Kvasir"), ("meanDic", "mae"))
    assert found.pred_root.name == "PolypPVT_vis"
    assert read("Model: {name: UACANet}\n" + THEIRS) == found
    assert read(THEIRS.replace("_root", "_path")) == found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("'mae'", "'mea'"), "Unknown metric 'mea'. Did you mean 'mae'"),
        (("'mae'", '__import__("os")'), "Unknown metric"),
        (("gt_root", "gt_rot"), "Unknown option of Eval 'gt_rot'. Did you mean 'gt_root'"),
        (("    gt_root", "    # gt_root"), "Eval needs the option 'gt_root'"),
        (("Eval:", "Evl:"), "has no section Eval: with gt_root"),
        (("['CVC-300', 'Kvasir']", "[]"), "Eval.datasets is an empty list"),
        (("'CVC-300'", "'Kvasir'"), "Eval.datasets names 'Kvasir' twice"),
        (("\nEval", "\nTests: {}\nEval"), "Unknown section of .*eval.yaml 'Tests'. Did you mean 'Test'"),
    ],
)
def test_what_it_cannot_mean_is_a_sentence(read, change, words):
    with pytest.raises(SegDistillError, match=words):
        read(THEIRS.replace(*change))


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(SegDistillError, match="There is no file"):
        read_eval(tmp_path / "eval.yaml", known=())
