import numpy as np
import pytest
import torch
from torch import nn

from fakes import build, loss, networks
from segdistill.core import Output
from segdistill.methods import OFD
from segdistill.methods.parts.margins import Negatives, final_norm, margins_of_norm
from segdistill.taps import Tapped
from segdistill.tasks import Binary

# Of the authors' code.
WEIGHT = [1.0, 0.5, 2.0, 0.01, 1.0, -0.7]
BIAS = [0.0, 0.3, -1.0, 0.5, 5.0, 0.2]
MARGIN = [-0.7978846, -0.3075129, -2.0183208, -0.03, -3.0, -0.4917605]


def test_margins_follow_from_a_batch_norm_as_in_the_authors_code():
    found = margins_of_norm(torch.tensor(WEIGHT), torch.tensor(BIAS))
    torch.testing.assert_close(found, torch.tensor(MARGIN))


def test_a_margin_is_the_mean_of_the_negative_values():
    values = torch.randn(2_000_000, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.3
    expected = values[values < 0].mean()
    found = margins_of_norm(torch.tensor([0.5]), torch.tensor([0.3]))
    torch.testing.assert_close(found[0], expected, rtol=5e-3, atol=0)


@pytest.mark.parametrize("bias", [-1.0, 0.0, 1.0])
def test_a_channel_switched_off_has_the_margin_of_its_constant(bias):
    found = margins_of_norm(torch.tensor([0.0]), torch.tensor([bias]))
    torch.testing.assert_close(found, torch.tensor([min(bias, 0.0)]))


def test_margins_of_values_are_their_negative_means_by_channel():
    feature = torch.tensor([[[1.0, -2.0, -4.0], [1.0, 2.0, 0.0]]])
    torch.testing.assert_close(Negatives(feature).margins, torch.tensor([-3.0, 0.0]))


def test_the_final_norm_is_found_behind_what_has_no_parameters():
    norm = nn.BatchNorm2d(4)
    block = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(norm, nn.ReLU()), nn.Dropout(), nn.Identity())
    assert final_norm(block) is norm
    assert final_norm(norm) is norm


@pytest.mark.parametrize(
    "module",
    [
        nn.Identity(),
        nn.Conv2d(3, 4, 1),
        nn.Sequential(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1)),
        nn.Sequential(nn.BatchNorm2d(3), nn.LayerNorm(3)),
        nn.BatchNorm2d(3, affine=False),
    ],
)
def test_there_may_be_no_final_norm(module):
    assert final_norm(module) is None


def teacher_net():
    net = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.Conv2d(6, 1, 1))
    with torch.no_grad():
        net[1].weight.copy_(torch.tensor(WEIGHT))
        net[1].bias.copy_(torch.tensor(BIAS))
    return Tapped(net, ["1", "0"], aliases={"e1": "1"}).eval()


@pytest.mark.parametrize("tap", ["1", "e1"])
def test_margins_come_from_the_teachers_batch_norm(tap):
    teacher = teacher_net()
    teacher.tap([tap])
    with torch.no_grad():
        output = teacher(torch.rand(2, 3, 8, 8))
    method = OFD(taps={"f": tap})
    method.examine(teacher)
    method.build(Output(output.logits, {"f": torch.randn(2, 4, 4, 4)}), output, Binary())
    assert method.preparation == 0
    torch.testing.assert_close(method.floors["f"].margin, torch.tensor(MARGIN))
    assert "floors.f.margin" in method.state_dict()


def test_margins_come_from_the_probe_where_no_batch_norm_ends_the_module():
    teacher = teacher_net()
    with torch.no_grad():
        output = teacher(torch.rand(2, 3, 8, 8))
    method = OFD(taps={"f": "0"})
    method.examine(teacher)
    method.build(Output(output.logits, {"f": torch.randn(2, 4, 4, 4)}), output, Binary())
    torch.testing.assert_close(method.floors["f"].margin, Negatives(output["0"]).margins)


def test_margins_that_no_batch_norm_tells_are_measured_in_more_batches_than_the_probe():
    probe, other = (Output(torch.zeros(2, 1, 8, 8), {"f": torch.randn(2, 3, 8, 8)}) for _ in range(2))
    method = OFD(taps="f")
    assert method.preparation == 0
    method.build(probe, probe, Binary())
    assert method.preparation > 1
    method.prepare([(other, torch.zeros(2, 8, 8))])
    both = torch.cat([probe["f"], other["f"]])
    expected = both.clamp_max(0).sum(dim=(0, 2, 3)) / (both < 0).sum(dim=(0, 2, 3))
    torch.testing.assert_close(method.floors["f"].margin, expected)


def test_margins_come_from_the_probe_for_a_cached_teacher():
    student, teacher, _, task = networks(OFD)
    method = build(OFD(taps="high"), student, teacher, task)  # nobody called examine()
    torch.testing.assert_close(method.floors["high"].margin, Negatives(teacher["high"]).margins)


def test_the_examined_teacher_is_no_part_of_the_method():
    method = OFD(taps={"f": "1"})
    method.examine(teacher_net())
    assert not list(method.parameters())


def test_is_the_partial_distance_of_its_formula():
    student, teacher, mask, task = networks(OFD, count=2)
    method = build(OFD(taps="f"), student, teacher, task)
    method.floors["f"].margin.copy_(torch.tensor([-0.1, -0.5, -1.0, 0.0, -2.0]))
    total, count = 0.0, 0
    s, t = (output["f"].detach().double().numpy() for output in (student, teacher))
    for (_, c, _, _), have in np.ndenumerate(s):
        want = max(t.flat[count], float(method.floors["f"].margin[c]))
        total += (have - want) ** 2 if have > want or want > 0 else 0.0
        count += 1
    assert loss(method, student, teacher, mask).item() == pytest.approx(total / count, rel=1e-5)


def test_what_both_have_below_zero_is_left_alone():
    t = torch.full((1, 1, 2, 2), -1.0)
    s = torch.full((1, 1, 2, 2), -3.0, requires_grad=True)
    output = Output(torch.zeros(1, 1, 2, 2), {"f": t})
    method = OFD(taps="f")
    method.build(output, output, Binary())
    method.floors["f"].margin.fill_(-0.5)
    (value,) = method(Output(output.logits, {"f": s}), output, t).values()
    value.backward()
    assert value == 0
    assert s.grad.abs().sum() == 0


def test_the_projection_can_shift_as_a_batch_norm_could():
    student, teacher, mask, task = networks(OFD, more=2)
    method = build(OFD(taps="f"), student, teacher, task)
    loss(method, student, teacher, mask).backward()
    assert method.adapters["f"].bias.grad.abs().sum() > 0
