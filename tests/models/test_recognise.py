from __future__ import annotations

import pytest
import timm
import torch

from segdistill.models import load
from segdistill.models.recognise import PYRAMIDS, pyramid, recognise, tell

PROJECTS = [
    {"smp.Unet": {"encoder_name": "mobilenet_v2"}},
    {"smp.UnetPlusPlus": {"encoder_name": "resnet50"}},
    {"PolypPVT": {"backbone": "pvt_v2_b1"}},
]


def state_of(spec):
    with torch.device("meta"):
        return load(spec, classes=1, weights="none").net.state_dict()


@pytest.mark.parametrize("spec", PROJECTS, ids=str)
@pytest.mark.parametrize("prefix", ["", "model.", "module."])
def test_a_network_of_the_polyp_projects_is_told_by_its_checkpoint(spec, prefix):
    assert recognise({prefix + key: value for key, value in state_of(spec).items()}) == spec


QUICK = ("pvt_v2_b0", "pvt_v2_b2")
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in PYRAMIDS.values() if name not in QUICK]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_a_pvt_is_told_by_its_layers(name):
    with torch.device("meta"):
        state = timm.create_model(name, num_classes=0).state_dict()
    assert pyramid(state) == name
    assert tell(state) == f" It holds the layers of {name}."
    assert recognise(state) is None


@pytest.mark.parametrize("encoder", ["resnet34", "resnext50_32x4d", "resnet101", "efficientnet-b0"])
def test_what_is_not_known_is_not_guessed(encoder):
    state = state_of({"smp.Unet": {"encoder_name": encoder}})
    assert recognise(state) is None
    assert tell(state) == ""
