import numpy as np
import pytest
import torch

from fakes import build, loss, networks
from segdistill.core import Output, SegDistillError
from segdistill.methods import ReviewKD
from segdistill.methods.parts.abf import Fusion
from segdistill.methods.parts.hcl import hierarchical_mse
from segdistill.tasks import Binary


def pooled(x, cells):
    """Mean over cells whose borders are rounded outwards, in plain loops."""
    rows, columns = (
        [(i * n // c, -(-(i + 1) * n // c)) for i in range(c)]
        for n, c in zip(x.shape[2:], cells, strict=True)
    )
    return np.array([[x[:, :, a:b, c:d].mean((2, 3)) for c, d in columns] for a, b in rows])


def test_the_pyramid_is_a_weighted_mean_of_its_levels():
    s, t = torch.randn(2, 3, 9, 6), torch.randn(2, 3, 9, 6)
    gap = (s - t).double().numpy()
    levels = [(gap**2).mean(), *((pooled(gap, (n, n)) ** 2).mean() for n in (4, 2, 1))]
    expected = np.dot(levels, [1, 0.5, 0.25, 0.125]) / 1.875
    assert hierarchical_mse(s, t).item() == pytest.approx(expected, rel=1e-5)


def test_a_level_as_large_as_the_map_is_left_out():
    s, t = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(hierarchical_mse(s, t, (4, 2)), hierarchical_mse(s, t, (2,)))


def test_a_level_is_left_out_of_a_map_that_is_no_higher_however_wide():
    s, t = torch.randn(2, 3, 4, 9), torch.randn(2, 3, 4, 9)
    torch.testing.assert_close(hierarchical_mse(s, t, (4, 2)), hierarchical_mse(s, t, (2,)))


def test_a_map_narrower_than_a_level_is_pooled_along_its_longer_side():
    s, t = torch.randn(1, 2, 8, 2), torch.randn(1, 2, 8, 2)
    gap = (s - t).double().numpy()
    expected = ((gap**2).mean() + (pooled(gap, (4, 2)) ** 2).mean() / 2) / 1.5
    assert hierarchical_mse(s, t, (4,)).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("spatial", [(12,), (6, 4, 5)])
def test_the_pyramid_stands_in_one_and_three_dimensions(spatial):
    constant = torch.full((1, 2, *spatial), 3.0)
    torch.testing.assert_close(hierarchical_mse(constant, torch.zeros_like(constant)), torch.tensor(9.0))


def test_fusion_weighs_both_stages_by_their_attention():
    fusion = Fusion(3, 4, 5, dimensions=2, deepest=False).eval()
    feature, deeper = torch.randn(2, 3, 8, 8), torch.randn(2, 4, 4, 4)
    found, handed_on = fusion(feature, deeper)
    mixed = fusion.enter(feature)
    grown = torch.nn.functional.interpolate(deeper, size=(8, 8), mode="bilinear")
    a, b = fusion.attend(torch.cat([mixed, grown], 1)).sigmoid().unbind(1)
    torch.testing.assert_close(handed_on, mixed * a[:, None] + grown * b[:, None])
    torch.testing.assert_close(found, fusion.leave(handed_on))


def test_a_shallow_stage_of_the_teacher_teaches_all_deeper_ones_of_the_student():
    student, teacher, mask, task = networks(ReviewKD)
    method = build(ReviewKD(taps=("e3", "e4")), student, teacher, task)
    method(student, teacher, mask)["ReviewKD/e3"].backward()
    assert student["e4"].grad.abs().sum() > 0
    student["e3"].grad = None
    method(student, teacher, mask)["ReviewKD/e4"].backward()
    assert student["e3"].grad is None


def test_a_single_stage_needs_no_attention():
    student, teacher, mask, task = networks(ReviewKD)
    method = build(ReviewKD(taps="high"), student, teacher, task)
    assert not any("attend" in name for name, _ in method.named_parameters())
    assert loss(method, student, teacher, mask) > 0


def test_the_weight_rises_during_the_warm_up():
    student, teacher, mask, task = networks(ReviewKD)
    method = build(ReviewKD(taps="high", warmup=0.2), student, teacher, task)
    values = []
    for method.progress in (0.0, 0.1, 0.2, 1.0):
        values.append(loss(method, student, teacher, mask).item())
    first, half, full, last = values
    assert first == pytest.approx(0.01 * full)  # not zero: every term must train from the first step
    assert half == pytest.approx(full / 2)
    assert last == full


def test_taps_from_deep_to_shallow_are_refused():
    output = Output(
        torch.zeros(2, 1, 8, 8), {"deep": torch.zeros(2, 3, 2, 2), "shallow": torch.zeros(2, 3, 4, 4)}
    )
    with pytest.raises(SegDistillError, match="from shallow to deep, but 'shallow'.* is larger than 'deep'"):
        ReviewKD(taps=["deep", "shallow"]).build(output, output, Binary())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width of at least 1, got 0"),
        ({"warmup": 1.5}, "from 0 to 1, got 1.5"),
        ({"warmup": -0.1}, "from 0 to 1, got -0.1"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        ReviewKD(**options)
