from __future__ import annotations

import copy

import numpy as np
import onnx
import pytest
import torch
from torch import nn

import graphs
import toys
from segdistill.core import SegDistillError
from segdistill.export import OnnxPredictor, TorchPredictor, export_onnx
from segdistill.export.facts import Facts
from segdistill.export.onnx import packages, parity, writing
from segdistill.models import load
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multiclass, Multilabel

SIZES = parity.SIZES


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Parity on small images, which are drawn in a tenth of the time."""
    monkeypatch.setattr(parity, "SIZES", ((32, 64), (96, 32)))


@pytest.fixture
def convolution():
    return Tapped(nn.Conv2d(3, 1, 1))


@pytest.fixture
def exporter(monkeypatch):
    """Stands in for PyTorch's, and takes another network for the one that it is given."""

    def gives(net):
        monkeypatch.setattr(writing, "to_graph", lambda tapped, example: graphs.graph(net))

    return gives


def test_a_file_appears_that_agrees_with_pytorch(tmp_path):
    convolution = Tapped(nn.Conv2d(3, 1, 1), size=(16, 24))
    done = export_onnx(convolution, Binary(("skin", "mole")), tmp_path / "new/student.onnx")
    assert (done.path, done.images) == (tmp_path / "new/student.onnx", 2)
    assert done.difference < 1e-6
    assert OnnxPredictor(done.path).facts == Facts("Conv2d", 4, (16, 24), "Binary", ("skin", "mole"))
    assert [path.name for path in done.path.parent.iterdir()] == ["student.onnx"]


def test_a_network_that_disagrees_leaves_the_place_as_it_was(convolution, exporter, tmp_path):
    exporter(nn.Conv2d(3, 1, 1))
    (tmp_path / "student.onnx").write_text("the one before")
    with pytest.raises(
        SegDistillError, match=r"disagrees with PyTorch by 0\.\d+ in .* 0.001 is .*draws random"
    ):
        export_onnx(convolution, Binary(), tmp_path / "student.onnx", overwrite=True)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["the one before"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("student.onnx", "student.onnx exists: choose another name, or say overwrite"),
        ("folder.onnx", "folder.onnx is a folder, where a file is to be written"),
        ("student", "known by its ending: name .*student.onnx"),
        ("student.onnx/a.onnx", "cannot be a folder: a file stands in its way"),
    ],
)
def test_a_place_that_is_taken_is_refused_before_the_work(convolution, tmp_path, name, words):
    (tmp_path / "student.onnx").write_text("here")
    (tmp_path / "folder.onnx").mkdir()
    with pytest.raises(SegDistillError, match=words):
        export_onnx(convolution, Binary(), tmp_path / name)


def test_a_network_that_onnx_runtime_cannot_run_leaves_no_file(convolution, exporter, tmp_path):
    exporter(nn.Conv2d(5, 1, 1))
    with pytest.raises(SegDistillError, match="ONNX Runtime cannot run what PyTorch exported, so no file is"):
        export_onnx(convolution, Binary(), tmp_path / "student.onnx")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("precision", [torch.float16, torch.float64])
def test_a_network_of_any_precision_is_exported_in_float32(convolution, exporter, tmp_path, precision):
    exporter(convolution.net.to(torch.bfloat16).float())
    net = copy.deepcopy(convolution).to(precision)
    assert export_onnx(net, Binary(), tmp_path / "student.onnx").difference < 1e-6
    assert net.net.weight.dtype == precision


def test_a_network_for_other_images_cannot_be_exported(tmp_path):
    net = Tapped(nn.Conv2d(1, 1, 1))
    with pytest.raises(
        SegDistillError,
        match="cannot segment an image of 64 x 32 pixels; many .* PyTorch says: Given groups=1",
    ):
        export_onnx(net, Binary(), tmp_path / "student.onnx")
    assert not any(tmp_path.iterdir())


def test_all_missing_packages_are_named_at_once(convolution, tmp_path, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name.startswith("onnxs") else name)
    with pytest.raises(
        SegDistillError, match="Export to ONNX needs onnxscript, not installed here: pip install"
    ):
        export_onnx(convolution, Binary(), tmp_path / "student.onnx")


def test_parity_is_measured_on_landscape_and_portrait():
    landscape, portrait = SIZES
    assert landscape[0] < landscape[1]
    assert portrait[0] > portrait[1]


TASKS = [Binary(), Multiclass(("a", "b", "c")), Multilabel(("a", "b"))]


@pytest.mark.slow
@pytest.mark.parametrize("size", [None, (48, 64)])
@pytest.mark.parametrize("task", TASKS, ids=str)
def test_every_task_is_exported_for_images_of_any_size(tmp_path, task, size):
    tapped = Tapped(
        toys.tiny_net(task.channels, norm=True), ["body"], mean=0.4, std=(0.2, 0.3, 0.4), size=size
    )
    tapped.train()
    done = export_onnx(tapped, task, tmp_path / "student.onnx")
    assert done.difference < 1e-5
    assert tapped.training, "the network stays as it is"
    mine, reference = OnnxPredictor(done.path), TorchPredictor(tapped, task)
    for shape in [(48, 64, 3), (97, 33, 3), (20, 201, 4), (33, 40)]:
        image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        one, two = mine(image), reference(image)
        np.testing.assert_allclose(one.probability, two.probability, atol=1e-5)
        assert (one.mask != two.mask).mean() < 1e-3


NETWORKS = [
    ({"smp.FPN": {"encoder_name": "tu-tf_efficientnet_lite0"}}, 64),
    ({"smp.Unet": {"encoder_name": "resnet18"}}, None),
    ({"smp.Segformer": {"encoder_name": "mit_b0"}}, 96),
    ({"PolypPVT": {"backbone": "pvt_v2_b0"}}, 64),
    ("torchvision.lraspp_mobilenet_v3_large", 64),
]


@pytest.mark.slow
@pytest.mark.parametrize(("spec", "size"), NETWORKS, ids=[str(spec) for spec, _ in NETWORKS])
def test_networks_of_the_zoo_are_exported(tmp_path, spec, size):
    torch.manual_seed(0)
    tapped = load(spec, classes=1, weights="none", size=size)
    done = export_onnx(tapped, Binary(), tmp_path / "student.onnx")
    assert done.difference < 1e-4
    onnx.checker.check_model(onnx.load(done.path), full_check=True)


@pytest.mark.slow
def test_what_pytorch_cannot_export_is_one_sentence(tmp_path, capfd):
    class Picky(nn.Conv2d):
        def forward(self, x):
            return super().forward(x) if x.mean() > 0 else x

    with pytest.raises(SegDistillError, match="PyTorch cannot export this Picky to ONNX: "):
        export_onnx(Tapped(Picky(3, 1, 1)), Binary(), tmp_path / "student.onnx")
    assert capfd.readouterr().err == ""
    assert not any(tmp_path.iterdir())
