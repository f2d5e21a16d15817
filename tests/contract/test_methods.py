"""The contract of every distillation method: what its value is. A new method is tested by existing."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import build, each, labels, loss, make, networks, simple, sizes, tasks, value
from segdistill.core import Output
from segdistill.methods import Method
from segdistill.tasks import Multilabel

METHODS = list(Method.catalogue.values())


def every(keep=lambda cls: True):
    """Over the catalogue, or what of it has a trait."""
    found = [cls for cls in METHODS if keep(cls)]
    return pytest.mark.parametrize("cls", found, ids=lambda cls: cls.__name__)


@every()
def test_is_a_finite_scalar_with_a_gradient_for_the_student_only(cls):
    for task, spatial in product(tasks(cls), sizes(cls)):
        has_a_gradient_for_the_student_only(cls, task, spatial)


def has_a_gradient_for_the_student_only(cls, task, spatial):
    student, teacher, _, task = networks(cls, task, spatial)
    mask = labels(spatial, task, count=len(student.logits), ignored=True)
    method = build(make(cls), student, teacher, task)
    result = loss(method, student, teacher, mask)
    result.backward()
    assert result.ndim == 0
    assert result.isfinite()
    gradients = [x.grad for x in maps(student) if x.grad is not None]
    assert all(g.isfinite().all() for g in gradients)
    assert sum(g.abs().sum() for g in gradients) > 0
    assert all(x.grad is None for x in maps(teacher))


def maps(output):
    return [output.logits, *output.features.values()]


@every()
def test_learns_on_ignored_pixels_only_if_it_says_so(cls):
    student, teacher, mask, task = networks(cls)
    mask[..., mask.shape[-1] // 2 :] = task.ignore_index
    method = build(make(cls), student, teacher, task)
    loss(method, student, teacher, mask)  # a memory is filled in training alone
    loss(method.eval(), student, teacher, mask).backward()  # no batch norm that ties positions to each other
    reached = [x.grad[..., x.shape[-1] // 2 :].any() for x in maps(student) if x.grad is not None]
    assert any(reached) == (cls.traits.everywhere or not cls.traits.labels)


@every()
def test_is_zero_where_the_student_equals_the_teacher_if_it_says_so(cls):
    for spatial in sizes(cls):
        _, teacher, mask, task = networks(cls, None, spatial)
        method = build(make(cls), teacher, teacher, task)
        at_equality = value(method, teacher, teacher, mask).item()
        assert (at_equality == pytest.approx(0, abs=1e-5)) == cls.traits.zero


@every(lambda cls: not cls.traits.draws)
@settings(max_examples=3, deadline=None)
@given(seed=st.integers(0, 999))
def test_does_not_depend_on_the_order_of_the_batch(cls, seed):
    student, teacher, mask, task = networks(cls, count=3, seed=seed)
    method = build(make(cls), student, teacher, task)

    def turned(output):
        return each(output, lambda x: x.flip(0))

    ahead = value(method, student, teacher, mask)
    back = value(method, turned(student), turned(teacher), mask.flip(0))
    torch.testing.assert_close(ahead, back, rtol=1e-5, atol=1e-6)


@every(lambda cls: not cls.traits.draws)
def test_is_the_mean_of_any_split_of_the_batch_unless_it_relates_images(cls):
    student, teacher, mask, task = networks(cls, count=2 * max(2, cls.traits.images))
    mask = mask[:1].expand_as(mask)  # the mean is over labelled pixels: as many in every part
    method, half = build(make(cls), student, teacher, task), len(mask) // 2

    def part(output, images):
        return each(output, lambda x: x[images])

    halves = [
        value(method, part(student, images), part(teacher, images), mask[images])
        for images in (slice(0, half), slice(half, None))
    ]
    whole = value(method, student, teacher, mask)
    assert torch.allclose(whole, sum(halves) / 2, rtol=1e-5, atol=1e-7) != cls.traits.relational


@every(lambda cls: not cls.traits.draws)
def test_does_not_change_when_the_same_image_is_tiled_if_it_says_so(cls):
    student, teacher, mask, task = networks(cls)
    method = build(simple(cls), student, teacher, task)

    def tiled(x, axes):
        return x.repeat(*(1,) * (x.ndim - axes), *(2,) * axes)

    axes = student.logits.ndim - 2
    small = value(method, student, teacher, mask)
    large = value(
        method,
        each(student, lambda x: tiled(x, axes)),
        each(teacher, lambda x: tiled(x, axes)),
        tiled(mask, axes),
    )
    assert torch.allclose(small, large, rtol=1e-5, atol=1e-7) == cls.traits.tiles


@every(lambda cls: cls.traits.kind == "logits" and "Multilabel" in cls.traits.tasks)
def test_does_not_change_where_every_label_is_there_four_times(cls):
    def repeated(output, times):
        return Output(output.logits.repeat_interleave(times, 1), output.features)

    student, teacher, mask, _ = networks(cls, Multilabel(tuple("abc")))
    values = []
    for times in (1, 4):
        mine, theirs = repeated(student, times), repeated(teacher, times)
        method = build(make(cls), mine, theirs, Multilabel(tuple("abcdefghijkl"[: 3 * times])))
        values.append(value(method, mine, theirs, mask.repeat_interleave(times, 1)))
    torch.testing.assert_close(*values, rtol=1e-3, atol=1e-9)


@every()
def test_computes_in_float32_under_autocast(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    for dtype in (torch.bfloat16, torch.float16):
        halved = [each(output, lambda x: x.detach().to(dtype)) for output in (student, teacher)]  # noqa: B023
        with torch.autocast("cpu", dtype):
            found = value(method, *halved, mask)
        assert found.dtype == torch.float32
        whole = [each(output, torch.Tensor.float) for output in halved]
        torch.testing.assert_close(found, value(method, *whole, mask))


@every()
def test_does_not_draw_unless_it_says_so(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    before = torch.get_rng_state()
    method(student, teacher, mask)
    assert torch.equal(before, torch.get_rng_state()) != cls.traits.draws


@every(lambda cls: not cls.traits.labels)
def test_looks_at_labels_only_if_it_says_so(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    torch.testing.assert_close(
        value(method, student, teacher, mask), value(method, student, teacher, torch.zeros_like(mask))
    )


@every(lambda cls: cls.traits.labels)
def test_labels_matter_if_it_says_so(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    others = labels(tuple(student.logits.shape[2:]), task, count=len(mask), seed=5)
    assert not torch.allclose(
        value(method, student, teacher, mask), value(method, student, teacher, others), rtol=1e-6
    )


@every()
def test_leaves_its_inputs_as_they_are(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    before = [x.detach().clone() for x in [*maps(student), *maps(teacher), mask]]
    method(student, teacher, mask)
    assert all(map(torch.equal, before, [*maps(student), *maps(teacher), mask]))


@every(lambda cls: cls.traits.teacher)
def test_aligns_sizes(cls):
    larger = tuple(2 * n for n in sizes(cls)[0])  # so that the coarse network's deepest map has positions
    coarse, fine, mask, task = networks(cls, None, larger, coarser=2)
    for student, teacher in ((coarse, fine), (fine, coarse)):
        assert loss(build(make(cls), student, teacher, task), student, teacher, mask).isfinite()


@every()
def test_takes_maps_of_odd_sizes(cls):
    odd = tuple(n + 5 for n in sizes(cls)[0])  # 37 pixels are 18, 9, 4 and 2 positions
    student, teacher, mask, task = networks(cls, None, odd)
    result = loss(build(make(cls), student, teacher, task), student, teacher, mask)
    result.backward()
    gradients = [x.grad for x in maps(student) if x.grad is not None]
    assert result.isfinite()
    assert all(g.isfinite().all() for g in gradients)
    assert sum(g.abs().sum() for g in gradients) > 0


@every()
def test_takes_a_teacher_that_saw_the_images_at_another_size(cls):
    """In multi-scale training the student's size changes from step to step, the teacher's does not."""
    for task in tasks(cls):
        takes_a_teacher_that_saw_the_images_at_another_size(cls, task)


def takes_a_teacher_that_saw_the_images_at_another_size(cls, task):
    count, size = max(2, cls.traits.images), sizes(cls)[0]
    small, teacher, _, _ = networks(cls, task, count=count)
    method = build(make(cls), small, teacher, task)
    for wider in (size, tuple(3 * n // 2 for n in size), tuple(2 * n for n in size)):
        student, own, _, _ = networks(cls, task, wider, count=count)
        theirs = teacher if cls.traits.teacher else own
        result = loss(method, student, theirs, labels(wider, task, count=count))
        result.backward()
        assert result.isfinite()
        assert student.logits.grad is not None or any(x.grad is not None for x in maps(student))
