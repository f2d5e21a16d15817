from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from segdistill.core import SegDistillError
from segdistill.models import load

SMALL = {"decoder_pyramid_channels": 32, "decoder_segmentation_channels": 32}
SPEC = {"smp.FPN": {"encoder_name": "tu-mobilenetv3_small_050", **SMALL}}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return load(SPEC, classes=1, weights="none").net


def same(a: nn.Module, b: nn.Module) -> bool:
    return all(
        torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    )


@pytest.mark.parametrize(
    ("holder", "prefix"),
    [
        (None, ""),
        (None, "module."),
        (None, "_orig_mod."),
        ("state_dict", "model."),
        ("state_dict", "module.net."),
        ("model", ""),
        ("model", "net."),
    ],
)
def test_a_checkpoint_loads_whatever_wraps_it(net, tmp_path, holder, prefix):
    state = {prefix + key: value for key, value in net.state_dict().items()}
    torch.save({holder: state, "epoch": 3} if holder else state, tmp_path / "a.pt")
    assert same(load(SPEC, classes=1, weights=tmp_path / "a.pt").net, net)


@pytest.mark.parametrize("name", ["a.safetensors", "a.SAFETENSORS", "a.PTH", "a.pth.tar", "weights"])
def test_a_file_is_read_whatever_its_name(net, tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (save_file if "safe" in name.lower() else torch.save)(net.state_dict(), name)
    assert same(load(SPEC, classes=1, weights=name).net, net)


def test_a_checkpoint_of_a_training_wrapper_loads_past_its_other_parts(net, tmp_path):
    state = {f"model.{key}": value for key, value in net.state_dict().items()}
    torch.save({"state_dict": {**state, "loss.weight": torch.ones(3)}}, tmp_path / "a.ckpt.pt")
    assert same(load(SPEC, classes=1, weights=tmp_path / "a.ckpt.pt").net, net)


def test_weights_of_the_encoder_alone_load_into_it(net, tmp_path):
    state = {**net.encoder.state_dict(), "classifier.1.weight": torch.ones(10, 9)}
    torch.save(state, tmp_path / "imagenet.pth")
    loaded = load("timm.mobilenetv3_small_050", classes=3, weights=tmp_path / "imagenet.pth")
    assert same(loaded.net.encoder, net.encoder)


def test_weights_of_timm_load_into_its_encoder(tmp_path):
    import timm

    source = timm.create_model("mobilenetv3_small_050")
    torch.save(source.state_dict(), tmp_path / "timm.pth")
    loaded = load("timm.mobilenetv3_small_050", classes=1, weights=tmp_path / "timm.pth")
    assert torch.equal(loaded.net.encoder.model.conv_stem.weight, source.conv_stem.weight)


def test_another_number_of_classes_says_which_layer(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "a.pt")
    message = r"a.pt does not fit .* [0-9]+ of [0-9]+ tensors match, 2 have another shape \(such as segmentation_head"
    with pytest.raises(SegDistillError, match=message):
        load(SPEC, classes=2, weights=tmp_path / "a.pt")


def test_another_network_says_how_little_matches(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "a.pt")
    with pytest.raises(SegDistillError, match=r"\d+ are missing .*\d+ belong to no layer"):
        load({"smp.FPN": {"encoder_name": "resnet18"}}, classes=1, weights=tmp_path / "a.pt")


def test_a_deeper_network_of_the_same_family_is_not_taken_for_this_one(tmp_path):
    deeper = load({"smp.FPN": {"encoder_name": "resnet34", **SMALL}}, classes=1, weights="none").net
    for part, name in ((deeper, "net.pt"), (deeper.encoder, "encoder.pt")):
        torch.save(part.state_dict(), tmp_path / name)
        with pytest.raises(SegDistillError, match=r"80 belong to no layer \(such as .*layer1\.2"):
            load({"smp.FPN": {"encoder_name": "resnet18", **SMALL}}, classes=1, weights=tmp_path / name)


def cut(path, net):
    torch.save(net.state_dict(), path)
    path.write_bytes(path.read_bytes()[:1000])


def pickled(path, net):
    torch.save(net, path)


DAMAGE = [
    ("cut.pt", cut, r"'cut.pt' \(1000 bytes\) is damaged"),
    ("empty.pth", lambda path, net: path.write_bytes(b""), r"'empty.pth' \(0 bytes\) is damaged"),
    ("text.safetensors", lambda path, net: path.write_text("hello"), "'text.safetensors' .*is damaged"),
    ("whole.pt", pickled, "'whole.pt' holds Python objects.*Save only the state dict"),
    ("list.pt", lambda path, net: torch.save([1, 2], path), "'list.pt' holds no tensors by name; save"),
    (
        "held.pth",
        lambda path, net: torch.save({"epoch": 3, "generator": {"w": torch.ones(1)}}, path),
        "'held.pth' holds no tensors by name, only what lies under 'epoch', 'generator'; save",
    ),
    ("notes.txt", lambda path, net: path.write_text("hello"), "'notes.txt' is not a file of weights"),
    (
        "weights.onnx",
        lambda path, net: path.write_text("hello"),
        "'weights.onnx' is an exported network, which can only predict: name the run folder",
    ),
    ("absent.pt", lambda path, net: None, "There is no file of weights at '.*absent.pt'"),
]


@pytest.mark.parametrize(("name", "make", "message"), DAMAGE, ids=[case[0] for case in DAMAGE])
def test_a_file_that_cannot_be_read_says_why(net, tmp_path, name, make, message):
    make(tmp_path / name, net)
    with pytest.raises(SegDistillError, match=message):
        load(SPEC, classes=1, weights=tmp_path / name)
