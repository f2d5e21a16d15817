import pytest
import torch
from torch.nn import functional as F

from fakes import build, loss, networks
from segdistill.core import Output, SegDistillError
from segdistill.methods import MGD, AfDCD
from segdistill.methods.parts.hiding import shown


def test_regenerates_the_teacher_from_what_is_not_masked():
    student, teacher, mask, task = networks(MGD, more=1)
    method = build(MGD(taps="f"), student, teacher, task)
    generation = method.adapters["f"].double()
    keep = (torch.rand(2, 1, 8, 8) > 0.5).double()
    generation.mask = lambda feature: keep.to(feature.dtype)
    first, _, second = generation.generate
    s, t = student["f"].detach().double(), teacher["f"].detach().double()
    x = F.conv2d(s, generation.align.weight, generation.align.bias) * keep
    x = F.conv2d(x, first.weight, first.bias, padding=1).relu()
    x = F.conv2d(x, second.weight, second.bias, padding=1)
    expected = (x - t).square().sum() / t.numel()
    generation.float()
    torch.testing.assert_close(loss(method, student, teacher, mask), expected.float())


@pytest.mark.parametrize("masked", [0.0, 0.25, 0.75])
def test_masks_the_part_that_was_asked_for_in_all_channels_alike(masked):
    student, teacher, _, task = networks(MGD)
    generation = build(MGD(taps="f", masked=masked), student, teacher, task).adapters["f"]
    torch.manual_seed(0)
    drawn = generation.mask(torch.zeros(4, 3, 100, 100))
    assert drawn.shape == (4, 1, 100, 100)
    assert set(drawn.unique().tolist()) <= {0.0, 1.0}
    assert 1 - drawn.mean().item() == pytest.approx(masked, abs=0.01)


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (2, 2, 2)])
def test_some_position_of_every_image_is_shown(shape):
    drawn = shown(torch.zeros(500, 3, *shape), 0.75).flatten(1)
    assert drawn.any(dim=1).all()
    assert drawn.float().mean() < 0.45 or drawn.shape[1] == 1


@pytest.mark.parametrize("cls", [MGD, AfDCD])
def test_a_map_of_few_positions_always_trains_the_student(cls):
    student, teacher, mask, task = networks(cls, count=1)
    student, teacher = (Output(o.logits, {"f": o["f"][..., :1, :2]}) for o in (student, teacher))
    method = build(cls(taps="f"), student, teacher, task)
    for _ in range(20):
        (slope,) = torch.autograd.grad(loss(method, student, teacher, mask), student["f"])
        assert slope.any()


def test_draws_a_new_mask_at_every_step_from_the_seed():
    student, teacher, mask, task = networks(MGD)
    method = build(MGD(taps="f"), student, teacher, task)
    torch.manual_seed(0)
    first, second = (sum(method(student, teacher, mask).values()).item() for _ in range(2))
    torch.manual_seed(0)
    again = sum(method(student, teacher, mask).values()).item()
    assert first != second
    assert first == again


def test_the_alignment_starts_as_the_identity_and_is_trained_where_channels_agree():
    student, teacher, mask, task = networks(MGD)
    method = build(MGD(taps="f"), student, teacher, task)
    align = method.adapters["f"].align
    torch.testing.assert_close(align(student["f"]), student["f"])
    loss(method, student, teacher, mask).backward()
    assert align.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("masked", [1.0, -0.1, 2])
def test_an_impossible_part_is_refused(masked):
    with pytest.raises(SegDistillError, match=f"MGD needs masked from 0 to below 1, got {masked}"):
        MGD(masked=masked)
