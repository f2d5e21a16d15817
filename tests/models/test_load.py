from __future__ import annotations

import copy
import inspect

import pytest
import torch
from torch import nn

from segdistill.core import SegDistillError
from segdistill.models import catalogue, load
from segdistill.models.catalogue import OWN, SMP, TORCHVISION


class Plain(nn.Module):
    """A network as users write them, with its own idea of names."""

    mean, std, aliases = (0.5,), (0.25,), {"high": "conv"}

    def __init__(self, n_channels, n_classes, width=4):
        super().__init__()
        self.conv = nn.Conv2d(n_channels, width, 3, padding=1)
        self.head = nn.Conv2d(width, n_classes, 1)

    def forward(self, x):
        return self.head(self.conv(x))


PLAIN = f"{__name__}.Plain"
SPECS = [
    *({f"smp.{name}": {"encoder_name": "tu-mobilenetv3_small_050"}} for name in SMP if name != "DPT"),
    {"smp.Unet": {"encoder_name": "mit_b0"}},
    {"smp.FPN": {"encoder_name": "tu-tf_efficientnet_lite0", "drop_path_rate": 0.1}},
    "timm.mobilenetv3_small_050",
    {"PolypPVT": {"backbone": "pvt_v2_b0"}},
    "torchvision.lraspp_mobilenet_v3_large",
    {"torchvision.deeplabv3_mobilenet_v3_large": {"aux_loss": True}},
    {PLAIN: {"width": 6}},
]


def name_of(spec):
    return (
        spec if isinstance(spec, str) else " ".join([*spec, *map(str, *[d.values() for d in spec.values()])])
    )


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_every_kind_of_network_keeps_the_contract(spec):
    net = load(spec, classes=2, weights="none").eval()
    height, width = (128, 160) if "PAN" in str(spec) else (32, 64)
    image = torch.rand(1, 3, height, width)
    with torch.no_grad():
        logits = net(image).logits
        assert logits.shape == (1, 2, height, width)
        torch.testing.assert_close(copy.deepcopy(net)(image).logits, logits)
        again = load(**net.spec).eval()
        again.load_state_dict(net.state_dict())
        torch.testing.assert_close(again(image).logits, logits)


@pytest.mark.parametrize(
    "spec", ["smp.Unet", "smp.FPN", "smp.DeepLabV3Plus", "torchvision.lraspp_mobilenet_v3_large"]
)
def test_an_odd_size_works_or_says_what_to_set(spec):
    options = {"encoder_name": "mobilenet_v2"} if spec.startswith("smp") else {}
    net = load({spec: options}, classes=1, weights="none").eval()
    image = torch.rand(1, 3, 65, 64)
    if spec in ("smp.FPN", "smp.DeepLabV3Plus"):
        with pytest.raises(SegDistillError, match=r"multiples of \d+ .*got 65x64; set size: \[64, 64\]"):
            net(image)
        net = load({spec: options}, classes=1, weights="none", size=64).eval()
    assert net(image).logits.shape == (1, 1, 65, 64)


def test_pan_says_that_it_needs_large_images():
    net = load({"smp.PAN": {"encoder_name": "mobilenet_v2"}}, classes=1, weights="none")
    with pytest.raises(SegDistillError, match=r"at least 128, got 64x64; set size: \[128, 128\]"):
        net(torch.rand(2, 3, 64, 64))


@pytest.mark.parametrize("channels", [1, 4])
def test_images_of_other_channels_get_statistics_of_their_own(channels):
    net = load("timm.tf_efficientnet_lite0", classes=1, weights="none", in_channels=channels)
    assert net.mean.shape == (channels,)
    assert net(torch.rand(2, channels, 64, 64)).logits.shape == (2, 1, 64, 64)


def test_one_channel_gets_the_mean_of_three():
    net = load({"smp.Unet": {"encoder_name": "mobilenet_v2"}}, classes=1, weights="none", in_channels=1)
    assert net.mean.item() == pytest.approx((0.485 + 0.456 + 0.406) / 3)


def test_statistics_are_those_of_the_encoder_even_without_its_weights():
    assert load("timm.tf_efficientnet_lite0", classes=1, weights="none").mean.tolist() == [0.5] * 3
    assert load(PLAIN, classes=1, weights="none").std.tolist() == [0.25]


def test_a_class_of_the_users_own_brings_its_aliases():
    net = load(PLAIN, classes=1, weights="none")
    net.tap(["high"])
    assert net(torch.rand(1, 3, 8, 8)).features["high"].shape == (1, 4, 8, 8)


def test_the_full_name_of_a_library_gets_the_same_checks():
    with pytest.raises(SegDistillError, match="Unknown architecture of smp 'Unett'. Did you mean 'Unet'"):
        load("segmentation_models_pytorch.Unett", classes=1)


def test_size_may_be_one_number():
    assert load(PLAIN, classes=1, weights="none", size=32).size == (32, 32)


RESNET = {"encoder_name": "resnet18"}
WRONG = [
    ("Unet", {}, "Unknown model 'Unet'. Did you mean 'smp.Unet'"),
    ("PolypPVTs", {}, "Unknown model 'PolypPVTs'. Did you mean 'PolypPVT'"),
    (
        {"PolypPVT": {"backbone": "pvt_b2"}},
        {},
        "Unknown backbone of PolypPVT 'pvt_b2'. Did you mean 'pvt_v2_b2'",
    ),
    ({"PolypPVT": {"backbone": 2}}, {}, "The backbone of PolypPVT must be a name such as 'pvt_v2_b0', got 2"),
    ({"PolypPVT": {"bone": "pvt_v2_b2"}}, {}, "Unknown option of PolypPVT 'bone'. Did you mean 'backbone'"),
    ({"PolypPVT": {"classes": 2}}, {}, "'classes' of PolypPVT cannot be given here: .* classes= of load"),
    ("smp.Unett", {}, "Unknown architecture of smp 'Unett'. Did you mean 'Unet'"),
    (
        "torchvision.fcn_resnet51",
        {},
        "Unknown network of torchvision 'fcn_resnet51'. Did you mean 'fcn_resnet50'",
    ),
    ("timm.resnet81", {}, "Unknown encoder 'tu-resnet81'. Did you mean 'tu-resnet18'"),
    (
        {"smp.Unet": {"encoder_nam": "resnet18"}},
        {},
        "Unknown option of smp.Unet 'encoder_nam'. Did you mean 'encoder_name'",
    ),
    ({"smp.Unet": {"encoder_name": "resnet81"}}, {}, "Unknown encoder 'resnet81'. Did you mean 'resnet18'"),
    ({"smp.Unet": {"encoder_name": "pvt_v2_b0"}}, {}, "Did you mean 'tu-pvt_v2_b0'"),
    ({"smp.Unet": {"encoder_name": "timm-efficientnet-b0"}}, {}, "deprecated in smp; write 'tu-'"),
    ({"smp.Unet": {"encoder_name": 18}}, {}, "encoder_name must be a name, got 18"),
    ({"smp.Unet": {"classes": 2}}, {}, "'classes' of smp.Unet cannot be given here: .* classes= of load"),
    ({"smp.Unet": {"encoder_weights": None}}, {}, "weights= of load"),
    ({"smp.Unet": {"activation": "sigmoid"}}, {}, "works on logits"),
    ({"smp.Unet": {**RESNET, "drop_path_rate": 0.1}}, {}, "Unknown option of smp.Unet 'drop_path_rate'"),
    ({"timm.resnet18": RESNET}, {}, "timm.resnet18 names the encoder itself"),
    ({"smp.Unet": {**RESNET, "encoder_depth": 3}}, {}, "could not be built with .*Model depth is 3"),
    (
        {"smp.UnetPlusPlus": {"encoder_name": "mit_b0"}},
        {},
        "cannot use the encoder 'mit_b0', which lacks the stride-2",
    ),
    (
        {"smp.Linknet": {"encoder_name": "mit_b0"}},
        {},
        "cannot use the encoder 'mit_b0', which lacks the stride-2",
    ),
    ({"smp.DeepLabV3Plus": {"encoder_name": "tu-pvt_v2_b0"}}, {}, "'tu-pvt_v2_b0', which cannot be dilated"),
    ({"smp.PAN": {"encoder_name": "tu-pvt_v2_b0"}}, {}, "'tu-pvt_v2_b0', which cannot be dilated"),
    ({"smp.DPT": RESNET}, {}, "'resnet18', which is not one of timm's vision transformers"),
    (
        {"torchvision.fcn_resnet50": {"num_classes": 3}},
        {},
        "'num_classes' of torchvision.fcn_resnet50 cannot",
    ),
    ("torchvision.fcn_resnet50", {"in_channels": 1}, "takes images of 3 channels, got in_channels=1"),
    ({PLAIN: {"widht": 3}}, {}, "Unknown option of .*Plain 'widht'. Did you mean 'width'"),
    ({PLAIN: {"n_classes": 3}}, {}, "'n_classes' of .*Plain cannot be given here"),
    (f"{__name__}.Plane", {}, "Unknown name in .* 'Plane'. Did you mean 'Plain'"),
    (
        "no_such_package.Net",
        {},
        "'no_such_package.Net' cannot be imported: No module named 'no_such_package'",
    ),
    ("builtins.dict", {}, "builtins.dict gives a dict, not a network"),
    (PLAIN, {"weights": "imagenet"}, "No 'imagenet' weights are known for .*Plain; give weights='none'"),
    (
        {"smp.Unet": RESNET},
        {"weights": "imagnet"},
        "Unknown weights of resnet18 'imagnet'. Did you mean 'imagenet'",
    ),
    (PLAIN, {"classes": 0}, "classes of .*Plain must be a positive whole number, got 0"),
    (PLAIN, {"size": (0, 3)}, r"size must be one or more positive whole numbers, got \(0, 3\)"),
    ({"a": {}, "b": {}}, {}, "A model is a name or one"),
]


@pytest.mark.parametrize(("spec", "arguments", "message"), WRONG, ids=[str(case[2])[:40] for case in WRONG])
def test_a_mistake_is_one_sentence_with_the_way_out(spec, arguments, message):
    with pytest.raises(SegDistillError, match=message):
        load(spec, **{"classes": 1, "weights": "none", **arguments})


def test_the_catalogue_lists_what_the_libraries_have():
    import segmentation_models_pytorch as smp
    from torchvision.models import segmentation

    assert {cls.__name__ for cls in smp.MODEL_ARCHITECTURES_MAPPING.values()} == set(SMP)
    networks = {name for name, value in vars(segmentation).items() if inspect.isfunction(value)}
    assert networks == set(TORCHVISION)
    assert len({row.name for row in catalogue()}) == len(catalogue())
    assert len(catalogue()) == len(OWN) + len(SMP) + len(TORCHVISION) + 2
