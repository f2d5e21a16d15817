from __future__ import annotations

import torch
from torch import nn

from segdistill.models import cost, load


def test_multiply_adds_of_one_convolution_are_those_on_paper():
    found = cost(nn.Conv2d(3, 8, 3, padding=1, bias=False), (10, 20))
    assert (found.parameters, found.macs) == (3 * 8 * 9, 3 * 8 * 9 * 10 * 20)


def test_a_known_network_has_its_known_size():
    found = cost(load({"smp.Unet": {"encoder_name": "mobilenet_v2"}}, classes=1, weights="none"), (64, 64))
    assert round(found.parameters / 1e6, 2) == 6.63
    assert str(found) == f"6.63 M parameters, {found.gmac:.2f} GMAC at 64x64"


def test_a_network_that_resizes_costs_what_it_costs_at_its_own_size():
    spec = {"smp.Unet": {"encoder_name": "mobilenet_v2"}}
    fixed = load(spec, classes=1, weights="none", size=64)
    assert cost(fixed, (320, 320)).macs == cost(load(spec, classes=1, weights="none"), (64, 64)).macs


def test_channels_are_those_of_the_network():
    assert (
        cost(load("timm.mobilenetv3_small_050", classes=1, weights="none", in_channels=1), (64, 64)).macs > 0
    )


def test_counting_leaves_the_network_as_it_was():
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4), nn.Dropout())
    net[2].eval()
    before = net[1].running_mean.clone()
    cost(net, (8, 8))
    assert (net[1].training, net[2].training) == (True, False)
    assert torch.equal(net[1].running_mean, before)
