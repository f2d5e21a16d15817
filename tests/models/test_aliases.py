from __future__ import annotations

import copy
import time

import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.models import load

ENCODERS = ("tu-tf_efficientnet_lite0", "resnet18", "mobilenet_v2", "mit_b0", "tu-pvt_v2_b0")
TRANSFORMERS = ("mit_b0", "tu-pvt_v2_b0")
IMPOSSIBLE = {("DeepLabV3Plus", "mit_b0"), ("DeepLabV3Plus", "tu-pvt_v2_b0"), ("UnetPlusPlus", "mit_b0")}
ARCHITECTURES = ("Unet", "FPN", "DeepLabV3Plus", "UnetPlusPlus", "Segformer")
PAIRS = [
    # Every architecture and every encoder once in the fast suite; the other pairs are slow for their number.
    pytest.param(a, e, marks=() if a == ARCHITECTURES[0] or e == ENCODERS[0] else pytest.mark.slow)
    for a in ARCHITECTURES
    for e in ENCODERS
    if (a, e) not in IMPOSSIBLE
]


def features(spec, *, size=64, **options):
    net = load(spec, classes=1, weights="none", **options).eval()
    net.tap(net.aliases)
    with torch.no_grad():
        return net(torch.rand(2, 3, size, size)).features


@pytest.mark.parametrize(("architecture", "encoder"), PAIRS)
def test_stages_come_out_as_maps_from_shallow_to_deep(architecture, encoder):
    maps = features({f"smp.{architecture}": {"encoder_name": encoder}})
    assert all(x.ndim == 4 and len(x) == 2 and x.shape[1] > 0 for x in maps.values())
    stages = [name for name in ("e1", "e2", "e3", "e4", "e5") if name in maps]
    assert stages == ["e1", "e2", "e3", "e4", "e5"][encoder in TRANSFORMERS :]
    strides = [64 // maps[name].shape[-1] for name in stages]
    dilated = architecture == "DeepLabV3Plus"
    assert strides == [min(2 ** int(name[1]), 16 if dilated else 32) for name in stages]
    decoders = [maps[name].shape[-1] for name in ("d5", "d4", "d3", "d2", "d1") if name in maps]
    assert decoders == sorted(decoders)
    assert len(decoders) >= 2


@pytest.mark.parametrize(
    "spec",
    [
        {"smp.PAN": {"encoder_name": "resnet18"}},
        {"smp.UPerNet": {"encoder_name": "tu-convnext_atto"}},
        {"smp.MAnet": {"encoder_name": "resnet18"}},
        {"smp.Linknet": {"encoder_name": "tu-resnet18"}},
        {"smp.PSPNet": {"encoder_name": "mobilenet_v2"}},
        {"smp.DeepLabV3": {"encoder_name": "mobilenet_v2"}},
        {"PolypPVT": {"backbone": "pvt_v2_b0"}},
        "torchvision.lraspp_mobilenet_v3_large",
        "torchvision.deeplabv3_mobilenet_v3_large",
    ],
    ids=str,
)
def test_low_high_and_decoder_exist_everywhere(spec):
    maps = features(spec, size=128)
    assert {"low", "high", "decoder"} <= maps.keys()
    assert maps["low"].shape[-1] == 128 // 4
    assert maps["high"].shape[-1] <= 128 // 8


def test_the_decoder_is_what_the_head_gets():
    for spec, head in (("smp.FPN", "segmentation_head"), ("torchvision.lraspp_mobilenet_v3_large", None)):
        net = load(spec, classes=1, weights="none").eval()
        net.tap(["decoder"])
        seen = []
        target = net.net.get_submodule(head) if head else net.net.classifier.high_classifier
        target.register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(inputs[0]))
        output = net(torch.rand(1, 3, 64, 64))
        assert output.features["decoder"].shape[1] == seen[0].shape[1]


def test_stages_are_what_the_encoder_returns():
    net = load({"smp.Unet": {"encoder_name": "mit_b0"}}, classes=1, weights="none").eval()
    net.tap(["e2", "e5"])
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        maps = net(image).features
        returned = net.net.encoder(net.preprocess(image))
    assert torch.equal(maps["e2"], returned[2])
    assert torch.equal(maps["e5"], returned[5])


def test_naming_stages_adds_no_weights_and_changes_no_result():
    import segmentation_models_pytorch as smp

    plain = smp.FPN("resnet18", encoder_weights=None).eval()
    ours = load({"smp.FPN": {"encoder_name": "resnet18"}}, classes=1, weights="none").eval()
    ours.net.load_state_dict(plain.state_dict())
    image = torch.rand(1, 3, 64, 64)
    assert torch.equal(ours.net(image), plain(image))


def test_a_copy_taps_itself_and_gradients_reach_the_encoder():
    net = load({"smp.FPN": {"encoder_name": "resnet18"}}, classes=1, weights="none").eval()
    net.tap(["e3"])
    twin = copy.deepcopy(net)
    twin.net.encoder.layer2[0].conv1.weight.data.zero_()
    image = torch.rand(1, 3, 64, 64)
    assert not torch.equal(twin(image).features["e3"], net(image).features["e3"])
    twin(image).features["e3"].sum().backward()
    assert twin.net.encoder.conv1.weight.grad is not None
    assert net.net.encoder.conv1.weight.grad is None


def test_a_missing_stage_names_those_that_exist():
    net = load({"smp.Unet": {"encoder_name": "mit_b0"}}, classes=1, weights="none")
    with pytest.raises(SegDistillError, match=r"Unknown tap 'e1'"):
        net.tap(["e1"])


def test_a_network_is_built_in_a_second():
    load("timm.resnet18", classes=1, weights="none")  # imports
    start = time.process_time()  # not the clock on the wall: other work may share the machine
    load({"smp.FPN": {"encoder_name": "tu-tf_efficientnet_lite0"}}, classes=1, weights="none")
    assert time.process_time() - start < 1
