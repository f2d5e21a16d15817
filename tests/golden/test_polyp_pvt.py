"""Polyp-PVT and the structure losses against what the authors' own code computes.

`decoder.npz` holds a decoder with random weights under the authors' names, the stages that went in and what came out;
`names.json` the names and shapes of a whole checkpoint. The whole network's record (8 MB) is not kept here: name its
folder by SEGDISTILL_REFERENCE.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from segdistill.losses import Structure, StructureAsReleased
from segdistill.models import load
from segdistill.models.polyp_pvt import PolypPVT
from segdistill.models.polyp_pvt.names import rename
from segdistill.tasks import Binary

FILES = Path(__file__).parent / "polyp_pvt"
REFERENCE = os.environ.get("SEGDISTILL_REFERENCE")
LOSSES = [(Structure, "structure_loss_fixed"), (StructureAsReleased, "structure_loss_as_coded")]


class Recorded(nn.Module):
    """Stands for a backbone: the same four stages, whatever the image."""

    def __init__(self, *stages):
        super().__init__()
        self.stages = stages

    def forward(self, image):
        return list(self.stages)


@pytest.fixture(scope="module")
def record():
    with np.load(FILES / "decoder.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def mask(record):
    return torch.from_numpy(np.unpackbits(record["mask"].numpy())).reshape(1, 128, 128)


def test_the_decoder_computes_what_the_authors_does(record):
    net = PolypPVT("pvt_v2_b0").eval()
    net.backbone = Recorded(*(record[f"e{i}"] for i in range(2, 6)))
    state = {key.removeprefix("state/"): x.float() for key, x in record.items() if key.startswith("state/")}
    fit = net.load_state_dict(rename(state), strict=False)
    assert not fit.unexpected_keys
    assert all(key.endswith("num_batches_tracked") for key in fit.missing_keys)
    found = outputs(net, torch.zeros(1, 3, 128, 128), ("cfm", "sam", "head1", "head2"))
    for name, theirs in {"cfm": "cfm", "sam": "sam", "head1": "P1", "head2": "P2"}.items():
        torch.testing.assert_close(found[name], record[theirs], rtol=0, atol=1e-5)
    torch.testing.assert_close(found[""], record["P1"] + record["P2"], rtol=0, atol=1e-5)


def test_a_checkpoint_of_the_authors_names_every_layer_of_ours():
    theirs = json.loads((FILES / "names.json").read_text())
    ours = {key: list(value.shape) for key, value in PolypPVT("pvt_v2_b0").state_dict().items()}
    renamed = rename({key: torch.empty(shape, device="meta") for key, shape in theirs.items()})
    assert {key: list(value.shape) for key, value in renamed.items()} == ours


@pytest.mark.parametrize("head", ["P1", "P2"])
@pytest.mark.parametrize(("cls", "name"), LOSSES, ids=[name for _, name in LOSSES])
def test_the_structure_losses_are_the_authors(record, cls, name, head):
    expected = json.loads((FILES / "losses.json").read_text())[name][head][0]
    assert cls()(record[head], mask(record), Binary()).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(not REFERENCE, reason="SEGDISTILL_REFERENCE is not set")
def test_the_whole_network_computes_what_the_authors_does():
    path = Path(str(REFERENCE), "polyp_pvt_b0.pt")
    whole = torch.load(path, weights_only=True)
    spec = {"PolypPVT": {"backbone": "pvt_v2_b0"}}
    net = load(spec, classes=1, weights=path).net.eval()
    expected = {"cim": "cim", "cfm": "cfm", "sam": "sam", "head1": "P1", "head2": "P2"}
    stages = [f"backbone.stages_{i}" for i in range(4)]
    found = outputs(net, whole["x"], [*expected, *stages])
    for name, theirs in expected.items():
        torch.testing.assert_close(found[name], whole[theirs], rtol=0, atol=1e-5)
    for name, theirs in zip(stages, whole["feats"], strict=True):
        torch.testing.assert_close(found[name], theirs, rtol=0, atol=1e-5)


def outputs(net, image, names):
    """What the network returns, under "", and what its parts do."""
    found = {}
    for name in names:
        hook = lambda module, inputs, output, name=name: found.update({name: output})  # noqa: E731
        net.get_submodule(name).register_forward_hook(hook)
    with torch.no_grad():
        found[""] = net(image)
    return found
