import numpy as np
import pytest
import torch

from fakes import build, loss, networks
from segdistill.core import Output
from segdistill.methods import PKD
from segdistill.tasks import Binary


def test_is_one_minus_the_correlation_of_each_channel_over_the_batch():
    student, teacher, mask, task = networks(PKD, count=3)
    method = build(PKD(taps="f"), student, teacher, task)
    s, t = (o["f"].detach().double().numpy().swapaxes(0, 1).reshape(5, -1) for o in (student, teacher))
    expected = np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(s, t, strict=True)])
    assert loss(method, student, teacher, mask).item() == pytest.approx(expected, rel=1e-5)


def test_neither_offset_nor_scale_of_a_channel_matters():
    student, teacher, mask, task = networks(PKD)
    method = build(PKD(taps="f"), student, teacher, task)
    scale, offset = torch.rand(5, 1, 1) + 0.5, torch.randn(5, 1, 1)
    other = Output(teacher.logits, {**teacher.features, "f": teacher["f"] * scale + offset})
    torch.testing.assert_close(loss(method, student, teacher, mask), loss(method, student, other, mask))


@pytest.mark.parametrize("value", [0.0, 2.0])
def test_a_dead_channel_has_no_gradient(value):
    s = torch.randn(2, 3, 4, 4)
    s[:, 0] = value
    s.requires_grad_()
    output = Output(torch.zeros(2, 1, 4, 4), {"f": torch.randn(2, 3, 4, 4)})
    student = Output(output.logits, {"f": s})
    method = build(PKD(taps="f"), student, output, Binary())
    result = loss(method, student, output, torch.zeros(2, 4, 4))
    result.backward()
    assert result.isfinite()
    assert not s.grad[:, 0].any()
    assert s.grad[:, 1:].any()


@pytest.mark.parametrize("value", [0.0, 300.0])
def test_nor_does_it_outshout_the_others_in_the_projection(value):
    s = torch.randn(2, 3, 4, 4)
    method = build(PKD(taps="f"), *outputs(s), Binary())
    sizes = []
    for first in (s[:, 0], torch.full((2, 4, 4), value)):
        s[:, 0] = first
        method.zero_grad()
        loss(method, *outputs(s), torch.zeros(2, 4, 4)).backward()
        sizes.append(method.adapters["f"].project.weight.grad.norm())
    assert sizes[1] < 10 * sizes[0]


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_scale_of_a_feature_does_not_matter(scale):
    s = torch.randn(2, 3, 4, 4)
    method = build(PKD(taps="f"), *outputs(s), Binary())
    values = [loss(method, *outputs(f), torch.zeros(2, 4, 4)) for f in (s, scale * s)]
    torch.testing.assert_close(*values)


def outputs(student):
    """A student's output, and always the same teacher's."""
    t = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    return Output(torch.zeros(2, 1, 4, 4), {"f": student}), Output(torch.zeros(2, 1, 4, 4), {"f": t})
