from __future__ import annotations

import copy
import json
import os
from pathlib import Path

import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.losses import HeadSum, Structure
from segdistill.methods import KDAS
from segdistill.models import cost, load
from segdistill.models.polyp_pvt import PolypPVT
from segdistill.models.polyp_pvt.names import rename
from segdistill.tasks import Binary

NAMES = Path(__file__).parents[1] / "golden" / "polyp_pvt" / "names.json"
SMALL = {"PolypPVT": {"backbone": "pvt_v2_b0"}}


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return PolypPVT("pvt_v2_b0").eval()


@pytest.fixture(scope="module")
def published(net):
    """The network's weights under the authors' names."""
    ours = net.state_dict()
    names = json.loads(NAMES.read_text())
    return {name: ours[only(rename({name: torch.empty(0)}))] for name in names}


def only(items):
    (item,) = items
    return item


def same(a, b):
    return all(torch.equal(x, b.state_dict()[key]) for key, x in a.state_dict().items())


@pytest.mark.parametrize(
    ("backbone", "parameters", "gmac"), [("pvt_v2_b0", 3_650_740, 1.90), ("pvt_v2_b2", 25_107_604, 10.84)]
)
def test_student_and_teacher_have_their_known_size(backbone, parameters, gmac):
    with torch.device("meta"):
        net = load({"PolypPVT": {"backbone": backbone}}, classes=1, weights="none")
    found = cost(net, (352, 352))
    assert found.parameters == parameters
    assert found.gmac == pytest.approx(gmac, abs=0.005)


@pytest.mark.parametrize("size", [(64, 64), (64, 96), (45, 61), (29, 29), (97, 33)])
def test_takes_images_of_any_shape_one_at_a_time(net, size):
    with torch.no_grad():
        logits = net(torch.rand(1, 3, *size))
    assert logits.shape == (1, 1, *size)
    assert logits.isfinite().all()


def test_images_too_small_for_its_attention_are_refused(net):
    with pytest.raises(SegDistillError, match="at least 29 pixels a side, got 28x64; set size:"):
        net(torch.rand(1, 3, 28, 64))


def test_the_logits_are_the_sum_of_the_heads(net):
    tapped = load(SMALL, classes=1, weights="none").eval()
    tapped.tap(["head1", "head2"])
    output = tapped(torch.rand(2, 3, 64, 45))
    assert output["head1"].shape == output["head2"].shape == output.logits.shape
    torch.testing.assert_close(output["head1"] + output["head2"], output.logits)
    assert not torch.equal(output["head1"], output["head2"])


def test_one_image_trains_every_layer():
    net = PolypPVT("pvt_v2_b0", classes=2).train()
    net(torch.rand(1, 3, 64, 64)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_branches_are_dropped_in_training_alone(net):
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(net(image), net(image))
    dropping = PolypPVT("pvt_v2_b0", drop_path_rate=0.5).backbone.train()
    assert not torch.equal(dropping(image)[3], dropping(image)[3])


def test_a_copy_gives_the_same(net):
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(copy.deepcopy(net)(image), net(image))


@pytest.mark.slow
def test_is_compiled_as_one_graph(net):
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        compiled = torch.compile(net, backend="eager", fullgraph=True)
        torch.testing.assert_close(compiled(image), net(image))


def test_kdas_and_the_supervision_reach_both_heads():
    student, teacher = (load(SMALL, classes=1, weights="none").eval() for _ in range(2))
    loss, method = HeadSum("Structure"), KDAS(heads=["head1", "head2"])
    student.tap([*loss.taps, *method.student_taps])
    teacher.tap(method.teacher_taps)
    image, mask, task = torch.rand(2, 3, 64, 64), torch.randint(0, 2, (2, 64, 64)), Binary()
    ours, theirs = student(image), teacher(image)
    supervised = loss.of(ours, mask, task)
    torch.testing.assert_close(
        supervised, Structure()(ours["head1"], mask, task) + Structure()(ours["head2"], mask, task)
    )
    method.build(ours, theirs, task)
    terms = method(ours, theirs, mask)
    assert set(terms) == {"KDAS/head1", "KDAS/head2", "KDAS/guiding"}
    sum(terms.values(), supervised * method.task_weight).backward()
    assert student.net.head1.classify.weight.grad.any()
    assert student.net.head2.classify.weight.grad.any()


@pytest.mark.parametrize(
    ("holder", "prefix"), [(None, ""), (None, "module."), ("state_dict", "module."), ("model", "")]
)
def test_the_authors_checkpoints_load_as_they_are(net, published, tmp_path, holder, prefix):
    state = {prefix + key: value for key, value in published.items()}
    torch.save({holder: state, "epoch": 3} if holder else state, tmp_path / "PolypPVT.pth")
    assert same(load(SMALL, classes=1, weights=tmp_path / "PolypPVT.pth").net, net)


def test_what_a_profiler_left_in_a_checkpoint_does_not_matter(net, published, tmp_path):
    counts = {"total_ops": torch.zeros(1), "module.CFM.conv4.total_params": torch.zeros(1)}
    torch.save({**{f"module.{key}": x for key, x in published.items()}, **counts}, tmp_path / "a.pth")
    assert same(load(SMALL, classes=1, weights=tmp_path / "a.pth").net, net)


def test_our_own_weights_load_too(net, tmp_path):
    torch.save(net.state_dict(), tmp_path / "ours.pt")
    assert same(load(SMALL, classes=1, weights=tmp_path / "ours.pt").net, net)


def test_a_backbone_of_the_authors_or_of_timm_loads_alone(net, published, tmp_path):
    classifier = {"head.weight": torch.ones(1000, 256), "head.bias": torch.ones(1000)}
    authors = {key.removeprefix("backbone."): x for key, x in published.items() if key.startswith("backbone")}
    timms = {key.replace("stages_", "stages."): x for key, x in net.backbone.state_dict().items()}
    for name, state in (("authors", authors), ("timm", timms)):
        torch.save({**state, **classifier}, tmp_path / f"{name}.pth")
        loaded = load(SMALL, classes=3, weights=tmp_path / f"{name}.pth").net
        assert same(loaded.backbone, net.backbone)


@pytest.mark.parametrize("spec", ["PolypPVT", {"smp.Unet": {"encoder_name": "resnet18"}}], ids=str)
def test_a_checkpoint_of_another_network_says_which_it_is(published, tmp_path, spec):
    torch.save({f"module.{key}": value for key, value in published.items()}, tmp_path / "a.pth")
    message = r"a.pth does not fit .*It is a checkpoint of \{PolypPVT: \{backbone: pvt_v2_b0\}\}\."
    with pytest.raises(SegDistillError, match=message):
        load(spec, classes=1, weights=tmp_path / "a.pth")


def test_a_backbone_of_another_size_says_which_it_is(published, tmp_path):
    torch.save({k: x for k, x in published.items() if k.startswith("backbone.")}, tmp_path / "a.pth")
    with pytest.raises(SegDistillError, match=r"It holds the layers of pvt_v2_b0\."):
        load("PolypPVT", classes=1, weights=tmp_path / "a.pth")


def test_another_number_of_classes_is_not_taken_for_another_network(published, tmp_path):
    torch.save(published, tmp_path / "a.pth")
    with pytest.raises(
        SegDistillError, match=r"4 have another shape \(such as head1.classify.weight .*\)\.$"
    ):
        load(SMALL, classes=2, weights=tmp_path / "a.pth")


def test_half_a_download_is_refused(published, tmp_path):
    path = tmp_path / "PolypPVT.pth"
    torch.save(published, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(SegDistillError, match=r"'PolypPVT.pth' \(\d+ bytes\) is damaged"):
        load(SMALL, classes=1, weights=path)


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(published, tmp_path):
    torch.save({**published, "payload": Payload(tmp_path / "ran")}, tmp_path / "a.pth")
    with pytest.raises(SegDistillError, match="'a.pth' holds Python objects, which are not loaded"):
        load(SMALL, classes=1, weights=tmp_path / "a.pth")
    assert not (tmp_path / "ran").exists()
