"""The contract of every distillation method. A new method is tested by existing."""

import copy
import inspect
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.core import Output, SegDistillError
from segdistill.methods import Method, PairMethod
from segdistill.tasks import Binary, Multiclass, Multilabel

GOLDEN = Path(__file__).with_name("golden.json")
TASKS = [Binary(), Multiclass(("a", "b", "c")), Multilabel(("a", "b"))]
every = pytest.mark.parametrize("cls", Method.catalogue.values(), ids=Method.catalogue)
tasks = pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
dims = pytest.mark.parametrize("spatial", [(8, 8), (8, 6), (4, 6, 8)], ids=["2d", "oblong", "3d"])


def a_method(cls):
    """Build one with a tap that both networks have, where it takes taps."""
    return cls(taps="f") if "taps" in inspect.signature(cls).parameters else cls()


def outputs(spatial=(8, 8), *, task=TASKS[1], channels=(5, 5), grid=(1, 1), count=2, seed=0):
    g = torch.Generator().manual_seed(seed)

    def one(features, cell, *, grad):
        coarse = tuple(n // cell for n in spatial)
        maps = [torch.randn(count, task.channels, *spatial, generator=g)]
        maps.append(torch.randn(count, features, *coarse, generator=g))
        return Output(maps[0].requires_grad_(grad), {"f": maps[1].requires_grad_(grad)})

    student, teacher = one(channels[0], grid[0], grad=True), one(channels[1], grid[1], grad=False)
    mask = torch.randint(0, 2, (count, *spatial), generator=g)
    return student, teacher, mask


def built(cls, student, teacher, task=TASKS[1]):
    method = a_method(cls)
    method.build(student, teacher, task)
    return method


def total(method, student, teacher, mask):
    return sum(method(student, teacher, mask).values())


@every
@dims
@tasks
def test_is_a_finite_scalar_with_a_gradient_for_the_student_only(cls, spatial, task):
    student, teacher, mask = outputs(spatial, task=task)
    teacher.logits.requires_grad_()
    teacher["f"].requires_grad_()
    loss = total(built(cls, student, teacher, task), student, teacher, mask)
    loss.backward()
    assert loss.ndim == 0
    assert loss.isfinite()
    assert sum(t.grad.abs().sum() for t in (student.logits, student["f"]) if t.grad is not None) > 0
    assert teacher.logits.grad is None
    assert teacher["f"].grad is None


@every
@dims
def test_is_zero_where_the_student_equals_the_teacher(cls, spatial):
    _, teacher, mask = outputs(spatial)
    method = built(cls, teacher, teacher)
    assert total(method, teacher, teacher, mask).item() == pytest.approx(0, abs=1e-5)


@every
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999))
def test_does_not_depend_on_the_order_of_the_batch(cls, seed):
    student, teacher, mask = outputs(count=3, seed=seed)
    method = built(cls, student, teacher)

    def turned(output):
        return Output(output.logits.flip(0), {"f": output["f"].flip(0)})

    ahead, back = (
        total(method, student, teacher, mask),
        total(method, turned(student), turned(teacher), mask.flip(0)),
    )
    torch.testing.assert_close(ahead, back)


@every
def test_is_the_mean_of_any_split_of_the_batch(cls):
    student, teacher, mask = outputs(count=4)
    method = built(cls, student, teacher)

    def part(output, half):
        return Output(output.logits[half], {"f": output["f"][half]})

    halves = [
        total(method, part(student, half), part(teacher, half), mask[half])
        for half in (slice(0, 2), slice(2, 4))
    ]
    torch.testing.assert_close(total(method, student, teacher, mask), sum(halves) / 2)


@every
def test_does_not_change_when_the_same_image_is_tiled(cls):
    student, teacher, mask = outputs()
    method = built(cls, student, teacher)

    def tiled(output):
        return Output(output.logits.repeat(1, 1, 2, 2), {"f": output["f"].repeat(1, 1, 2, 2)})

    small, large = (
        total(method, student, teacher, mask),
        total(method, tiled(student), tiled(teacher), mask.repeat(1, 2, 2)),
    )
    torch.testing.assert_close(small, large)


@every
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_computes_in_float32_under_autocast(cls, dtype):
    student, teacher, mask = outputs()
    method = built(cls, student, teacher)
    with torch.autocast("cpu", dtype):
        loss = total(method, student, teacher, mask)
    torch.testing.assert_close(loss, total(method, student, teacher, mask))


@every
def test_survives_a_copy(cls):
    student, teacher, mask = outputs()
    method = built(cls, student, teacher)
    twin = copy.deepcopy(method)
    torch.testing.assert_close(total(twin, student, teacher, mask), total(method, student, teacher, mask))


@every
def test_aligns_sizes(cls):
    for grid in ((1, 2), (2, 1)):
        student, teacher, mask = outputs(grid=grid)
        assert total(built(cls, student, teacher), student, teacher, mask).isfinite()


@every
def test_aligns_channels_with_parameters_that_get_a_gradient(cls):
    student, teacher, mask = outputs(channels=(4, 7))
    method = built(cls, student, teacher)
    total(method, student, teacher, mask).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in method.parameters())


@every
def test_adapters_exist_before_the_first_forward_pass(cls):
    student, teacher, mask = outputs(channels=(4, 7))
    method = built(cls, student, teacher)
    before = {name: p.clone() for name, p in method.named_parameters()}
    total(method, student, teacher, mask)
    after = dict(method.named_parameters())
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


@every
def test_scales_with_its_weight(cls):
    student, teacher, mask = outputs()
    values = []
    for weight in (1.0, 3.0):
        method = a_method(cls)
        method.weight = weight
        method.build(student, teacher, TASKS[1])
        values.append(total(method, student, teacher, mask))
    torch.testing.assert_close(3 * values[0], values[1])


@every
def test_is_documented(cls):
    assert cls.paper, "say which paper it comes from"
    for name in inspect.signature(cls).parameters:
        assert f"{name}:" in inspect.getdoc(cls), f"describe {name}"


@every
def test_a_weight_of_zero_is_refused(cls):
    with pytest.raises(SegDistillError, match="positive weight, got 0"):
        cls(weight=0)


@every
def test_keeps_its_golden_value(cls, update_golden):
    student, teacher, mask = outputs()
    value = total(built(cls, student, teacher), student, teacher, mask).item()
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if update_golden:
        GOLDEN.write_text(json.dumps({**golden, cls.__name__: value}, indent=1, sort_keys=True) + "\n")
        return
    assert cls.__name__ in golden, "run pytest --update-golden and review the number"
    assert value == pytest.approx(golden[cls.__name__], rel=1e-5)


@pytest.mark.parametrize(
    "cls", [c for c in Method.catalogue.values() if issubclass(c, PairMethod)], ids=lambda c: c.__name__
)
def test_maps_of_different_rank_are_refused(cls):
    student, _, _ = outputs((8, 8))
    _, teacher, _ = outputs((4, 6, 8))
    with pytest.raises(SegDistillError, match="2 spatial dimensions, the other 3"):
        built(cls, student, teacher)
