import numpy as np
import pytest
import torch

from fakes import build, loss
from segdistill.core import Output
from segdistill.methods import NST
from segdistill.tasks import Binary


def pair(mine, theirs, size):
    g = torch.Generator().manual_seed(0)

    def one(channels):
        feature = torch.randn(2, channels, *size, generator=g).requires_grad_()
        return Output(torch.zeros(2, 1, *size), {"f": feature})

    return one(mine), one(theirs)


def discrepancy(s, t):
    """Of one image, in plain loops."""

    def kernel(a, b):
        return np.mean([np.dot(x, y) ** 2 for x in a for y in b])

    s, t = ([c / np.linalg.norm(c) for c in f.reshape(len(f), -1)] for f in (s, t))
    return kernel(s, s) - 2 * kernel(s, t) + kernel(t, t)


@pytest.mark.parametrize(
    ("mine", "theirs", "size"), [(3, 4, (5, 6)), (12, 20, (3, 2)), (3, 4, (20,)), (3, 2, (2, 3, 4))]
)
def test_is_the_discrepancy_of_the_channels_of_each_image(mine, theirs, size):
    student, teacher = pair(mine, theirs, size)
    method = build(NST(taps="f"), student, teacher, Binary())
    s, t = (o["f"].detach().double().numpy() for o in (student, teacher))
    expected = np.mean([discrepancy(a, b) for a, b in zip(s, t, strict=True)])
    found = loss(method, student, teacher, torch.zeros(2, *size)).item()
    assert found == pytest.approx(expected, rel=1e-5, abs=1e-8)


def test_a_silent_channel_gives_no_nan():
    student, teacher = pair(3, 4, (5, 6))
    silent = Output(student.logits, {"f": (student["f"] * torch.tensor([0.0, 1, 1]).view(1, 3, 1, 1))})
    method = build(NST(taps="f"), silent, teacher, Binary())
    value = loss(method, silent, teacher, torch.zeros(2, 5, 6))
    value.backward()
    assert value.isfinite()
    assert student["f"].grad.isfinite().all()


def test_the_number_of_channels_needs_no_projection():
    student, teacher = pair(3, 7, (5, 6))
    assert not list(build(NST(taps="f"), student, teacher, Binary()).parameters())
