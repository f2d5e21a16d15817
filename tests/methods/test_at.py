import pytest
import torch

from fakes import build, loss, networks
from segdistill.core import Output
from segdistill.methods import AT
from segdistill.methods.parts.energy import energy_map

POWERS = [1.0, 2.0, 4.0]


@pytest.mark.parametrize("power", POWERS)
def test_is_the_squared_distance_of_unit_maps(power):
    student, teacher, mask, task = networks(AT, more=2, count=3)
    method = build(AT(taps="f", power=power), student, teacher, task)
    s, t = (plain(output["f"].detach().double(), power) for output in (student, teacher))
    torch.testing.assert_close(
        loss(method, student, teacher, mask).double(), (s - t).square().sum(dim=1).mean()
    )


@pytest.mark.parametrize("power", POWERS)
def test_a_map_has_the_gradient_of_its_formula(power):
    x = torch.randn(2, 3, 4, requires_grad=True)
    target = torch.randn(2, 4)
    (found,) = torch.autograd.grad((energy_map(x, power) * target).sum(), x)
    (expected,) = torch.autograd.grad((plain(x.double(), power) * target).sum(), x)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-8, 1e8])
@pytest.mark.parametrize("power", POWERS)
def test_a_map_does_not_depend_on_the_scale_of_a_feature(scale, power):
    x = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(energy_map(x * scale, power), energy_map(x, power))


@pytest.mark.parametrize("scale", [1e-4, 1e10])
def test_the_scale_of_a_network_does_not_switch_the_loss_off(scale):
    student, teacher, mask, task = networks(AT, more=2)
    method = build(AT(taps="f", power=4), student, teacher, task)
    small, large = (Output(o.logits, {"f": o["f"] * scale}) for o in (student, teacher))
    torch.testing.assert_close(loss(method, small, large, mask), loss(method, student, teacher, mask))


@pytest.mark.parametrize("power", POWERS)
def test_a_feature_of_zeros_has_a_gradient_of_zero(power):
    dead = torch.zeros(2, 3, 4, 4, requires_grad=True)
    (energy_map(dead, power) - torch.rand(2, 16)).square().sum().backward()
    assert not dead.grad.any()


def plain(x, power):
    q = x.abs().pow(power).mean(dim=1).flatten(1)
    return q / q.norm(dim=1, keepdim=True)
