import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fakes import build, loss, networks
from segdistill.core import Output
from segdistill.methods import AttnFD, Method
from segdistill.methods.attn_fd import refined
from segdistill.methods.parts.cbam import CBAM
from segdistill.methods.released.at import UnsquaredAT
from segdistill.methods.released.attn_fd import AttnFDReleased


def test_block_attention_weighs_channels_then_positions():
    module = CBAM(6, 4)
    module.spatial[1].weight.data.fill_(1.5)
    module.spatial[1].bias.data.fill_(0.3)
    x = torch.randn(3, 6, 9, 7)
    first, _, second = module.channel

    def mlp(v):
        return F.linear(F.linear(v, first.weight, first.bias).relu(), second.weight, second.bias)

    channel = torch.sigmoid(mlp(x.mean((2, 3))) + mlp(x.amax((2, 3))))
    x1 = x * channel[:, :, None, None]
    found = torch.stack([x1.max(dim=1).values, x1.mean(dim=1)], dim=1)
    found = F.conv2d(found, module.spatial[0].weight, padding=3)
    variance, mean = torch.var_mean(found, unbiased=False)
    spatial = torch.sigmoid(1.5 * (found - mean) / (variance + 1e-5).sqrt() + 0.3)
    torch.testing.assert_close(module(x), x1 * spatial)


def test_attention_without_parameters_standardises_its_gates():
    x = torch.randn(2, 6, 4, 5)

    def gate(v):
        variance, mean = torch.var_mean(v, dim=1, keepdim=True, unbiased=False)
        return torch.sigmoid((v - mean) / (variance + 1e-5).sqrt())

    x1 = x * gate(x.mean((2, 3)) + x.amax((2, 3)))[:, :, None, None]
    positions = gate((x1.mean(1) + x1.amax(1)).flatten(1)).view(2, 1, 4, 5)
    torch.testing.assert_close(refined(x), x1 * positions)


@pytest.mark.parametrize("scale", [0.1, 100.0])
def test_the_scale_of_the_teachers_feature_does_not_matter(scale):
    x = torch.randn(2, 6, 4, 5)
    units = [F.normalize(refined(f).flatten(1)) for f in (x, scale * x)]
    torch.testing.assert_close(*units, rtol=2e-3, atol=2e-4)


def test_is_the_mean_over_images_of_the_distance_of_unit_maps():
    student, teacher, mask, task = networks(AttnFD, count=3)
    method = build(AttnFD(taps="f"), student, teacher, task)
    s, t = method.adapters["f"](student["f"]).detach(), refined(teacher["f"]).detach()
    distances = [(a / a.norm() - b / b.norm()).square().sum() for a, b in zip(s, t, strict=True)]
    torch.testing.assert_close(loss(method, student, teacher, mask).detach(), torch.stack(distances).mean())


def test_a_constant_feature_gives_no_nan():
    assert refined(torch.zeros(2, 3, 4, 4)).isfinite().all()
    assert refined(torch.full((2, 1, 4, 4), 5.0)).isfinite().all()


@pytest.mark.parametrize("cls", [AttnFD, AttnFDReleased])
def test_a_student_of_zeros_has_a_bounded_gradient(cls):
    student, teacher, mask, task = networks(cls)
    method = build(cls(taps="f"), student, teacher, task)
    dead = torch.zeros_like(student["f"]).requires_grad_()
    loss(method, Output(student.logits, {"f": dead}), teacher, mask).backward()
    assert dead.grad.abs().max() < 1e3
    assert all(p.grad is None or p.grad.abs().max() < 1e3 for p in method.adapters.parameters())


def test_the_release_takes_lengths_over_the_batch_and_falls_with_it():
    student, teacher, mask, task = networks(AttnFDReleased, count=3)
    method = build(AttnFDReleased(taps="f"), student, teacher, task)
    s = method.adapters["f"](student["f"]).detach()
    t = method.attentions["f"](teacher["f"]).detach()
    expected = 2 * (s / s.norm() - t / t.norm()).square().sum() / 3
    torch.testing.assert_close(loss(method, student, teacher, mask).detach(), expected)


def test_the_release_never_trains_the_teachers_attention():
    student, teacher, mask, task = networks(AttnFDReleased)
    method = build(AttnFDReleased(taps="f"), student, teacher, task)
    loss(method, student, teacher, mask).backward()
    assert all(p.grad is None and not p.requires_grad for p in method.attentions.parameters())
    assert any(isinstance(m, nn.BatchNorm2d) for m in method.adapters["f"])


def test_unsquared_attention_transfer_is_the_distance_itself():
    student, teacher, mask, task = networks(UnsquaredAT, more=2)
    method = build(UnsquaredAT(taps="f"), student, teacher, task)

    def unit(x):
        q = x.double().square().sum(1).flatten(1)
        return q / q.square().sum(1, keepdim=True).sqrt()

    gap = unit(student["f"]) - unit(teacher["f"])
    expected = gap.square().sum(1).sqrt().mean()
    torch.testing.assert_close(loss(method, student, teacher, mask), expected.float())


def test_unsquared_attention_transfer_has_a_gradient_of_zero_at_equality():
    student, _, mask, task = networks(UnsquaredAT)
    method = build(UnsquaredAT(taps="f"), student, student, task)
    loss(method, student, student, mask).backward()
    assert student["f"].grad.isfinite().all()


def test_released_forms_are_not_in_the_catalogue():
    assert not {"AttnFDReleased", "UnsquaredAT"} & set(Method.catalogue)
