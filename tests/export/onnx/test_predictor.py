from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import graphs
from segdistill import tasks
from segdistill.core import SegDistillError
from segdistill.export import OnnxPredictor, TorchPredictor, facts
from segdistill.export.onnx import packages
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multiclass, Multilabel

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
TASKS = [Binary(), Multiclass(("a", "b", "c")), Multilabel(("a", "b")), Multilabel(("one",))]


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_an_exported_network_predicts_as_in_pytorch_for_every_task(exported, task):
    net = nn.Conv2d(3, task.channels, 1)
    net.weight.data *= 40  # some pixels are certain
    mine = OnnxPredictor(exported(net, task), threads=1)
    reference = TorchPredictor(Tapped(net), task)
    one, two = mine(IMAGE), reference(IMAGE)
    assert mine.classes == reference.classes
    np.testing.assert_array_equal(one.mask, two.mask)
    np.testing.assert_allclose(one.probability, two.probability, atol=1e-6)
    assert (one.mask.dtype, one.probability.dtype) == (two.mask.dtype, two.probability.dtype)


def test_every_task_can_be_exported():
    assert set(facts.TASKS) == set(tasks.TASKS)


def test_a_network_that_gives_nan_is_refused(exported):
    net = nn.Conv2d(3, 1, 1)
    net.bias.data.fill_(torch.nan)
    with pytest.raises(SegDistillError, match="logits that are not finite, and NaN has no mask"):
        OnnxPredictor(exported(net))(IMAGE)


def test_an_image_that_the_network_cannot_take_is_a_sentence(exported):
    predictor = OnnxPredictor(exported(nn.Conv2d(4, 1, 1)))
    with pytest.raises(SegDistillError, match="student.onnx cannot segment an image of 30 x 20 pixels; many"):
        predictor(IMAGE)


DAMAGE = [
    ("picture.onnx", lambda whole: b"\x89PNG" + whole, "picture.onnx is not an ONNX file. Name what"),
    (
        "empty.onnx",
        lambda whole: b"",
        r"empty.onnx \(0 bytes\) is damaged, or made for another onnxruntime: copy",
    ),
    ("half.onnx", lambda whole: whole[: len(whole) // 2], "half.onnx .* is damaged, or made for another"),
    ("cut.onnx", lambda whole: whole[:-30], "cut.onnx .* is damaged.* ONNX Runtime says: .*Protobuf"),
]


@pytest.mark.parametrize(("name", "damage", "words"), DAMAGE, ids=[case[0] for case in DAMAGE])
def test_a_file_that_cannot_be_read_says_why(exported, name, damage, words):
    path = exported(name=name)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(SegDistillError, match=words):
        OnnxPredictor(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "alien.onnx was not written by segdistill: it does not say what its logits mean"),
        ('{"task": "Binary"}', r"alien.onnx is damaged: it says '\{\"task\": \"Binary\"\}' of itself"),
        ('{"task": "Bin', "alien.onnx is damaged: it says"),
        (facts.Facts("Net", 1, None, "Binari", ("a", "b")).to_text(), "Unknown task 'Binari'. Did you mean"),
    ],
)
def test_a_file_that_does_not_say_what_it_is_is_refused(tmp_path, text, words):
    (tmp_path / "alien.onnx").write_bytes(graphs.graph(nn.Conv2d(3, 1, 1), text).SerializeToString())
    with pytest.raises(SegDistillError, match=words):
        OnnxPredictor(tmp_path / "alien.onnx")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        SegDistillError, match=r"There is no file .*student.onnx. Name what `segdistill export`"
    ):
        OnnxPredictor(tmp_path / "student.onnx")


def test_without_onnxruntime_a_sentence_says_how_to_have_it(monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None)
    with pytest.raises(SegDistillError, match=r"needs onnxruntime, .*: pip install 'segdistill\[deploy\]'"):
        OnnxPredictor("student.onnx")


def test_the_facts_survive_the_file(exported):
    found = OnnxPredictor(exported(nn.Conv2d(3, 1, 1), Binary(("skin", "Fu\u00dfn\u00e4gel")))).facts
    assert found == facts.Facts("Conv2d", 6, (16, 16), "Binary", ("skin", "Fu\u00dfn\u00e4gel"))
