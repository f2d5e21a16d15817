import math

import numpy as np
import pytest
import torch

from fakes import build, loss, networks
from segdistill.core import SegDistillError
from segdistill.methods import VID


def test_is_the_gaussian_likelihood_of_the_teacher():
    student, teacher, mask, task = networks(VID, more=2)
    method = build(VID(taps="f"), student, teacher, task)
    with torch.no_grad():
        method.spreads["f"].copy_(torch.randn(5))
    a = method.spreads["f"].detach().double().numpy()
    w = method.adapters["f"].project.weight.detach().double().numpy()[:, :, 0, 0]
    s, t = (o["f"].detach().double().numpy() for o in (student, teacher))
    v = (np.log1p(np.exp(a)) + 1e-5)[None, :, None, None]
    expected = (0.5 * ((np.einsum("oc,bchw->bohw", w, s) - t) ** 2 / v + np.log(v))).mean()
    assert loss(method, student, teacher, mask).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("variance", [0.1, 5.0])
def test_equal_features_leave_the_variance_that_was_asked_for(variance):
    _, teacher, mask, task = networks(VID)
    method = build(VID(taps="f", variance=variance), teacher, teacher, task)
    assert loss(method, teacher, teacher, mask).item() == pytest.approx(math.log(variance) / 2, rel=1e-5)


def test_the_best_variance_is_the_mean_squared_error_of_the_channel():
    student, teacher, mask, task = networks(VID)
    method = build(VID(taps="f"), student, teacher, task)
    errors = (student["f"] - teacher["f"]).detach().square().mean(dim=(0, 2, 3))
    with torch.no_grad():
        method.spreads["f"].copy_((errors - 1e-5).expm1().log())
    loss(method, student, teacher, mask).backward()
    torch.testing.assert_close(method.spreads["f"].grad, torch.zeros(5), rtol=0, atol=1e-6)


@pytest.mark.parametrize("variance", [0, -1, 1e-5])
def test_a_variance_that_is_too_small_is_refused(variance):
    with pytest.raises(SegDistillError, match=f"a variance above 1e-05, got {variance}"):
        VID(variance=variance)
