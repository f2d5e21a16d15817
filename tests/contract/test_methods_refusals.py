"""The contract of every distillation method: what it refuses, says about itself, and its golden value."""

import inspect
import json
import math
import re
from itertools import product
from pathlib import Path

import pytest
import torch

from fakes import SIZES, TASKS, build, make, networks, output, sizes, tasks, value
from segdistill.core import SegDistillError
from segdistill.methods import Method, PairMethod

GOLDEN = Path(__file__).with_name("golden.json")
METHODS = Method.catalogue.values()
every = pytest.mark.parametrize("cls", METHODS, ids=Method.catalogue)
#: Their teacher may see volumes where the student sees slices.
ANY_RANK = {"Hilbert", "HilbertActivation"}


def over(pairs):
    """Over methods and something of each; the second's name is in the test's."""
    return [pytest.param(cls, one, id=f"{cls.__name__}-{one}") for cls, one in pairs]


def arguments(cls):
    return inspect.signature(cls).parameters


@pytest.mark.parametrize(
    ("cls", "name"), over((c, name) for c in METHODS for name in TASKS if name not in c.traits.tasks)
)
def test_a_task_that_it_has_no_meaning_for_is_refused(cls, name):
    spatial, count = sizes(cls)[0], max(2, cls.traits.images)
    student, teacher = (output(spatial, TASKS[name], count=count) for _ in range(2))
    with pytest.raises(SegDistillError, match=rf"^{cls.__name__} works for .*, not for {name}: .+\.$"):
        cls().build(student, teacher, TASKS[name])


@pytest.mark.parametrize(
    ("cls", "dimensions"), over((c, n) for c in METHODS for n in SIZES if n not in c.traits.dimensions)
)
def test_dimensions_that_it_has_no_meaning_for_are_refused(cls, dimensions):
    task, count = tasks(cls)[0], max(2, cls.traits.images)
    student, teacher = (output(SIZES[dimensions][0], task, count=count) for _ in range(2))
    with pytest.raises(SegDistillError, match=f"spatial dimensions, but the logits have {dimensions}"):
        cls().build(student, teacher, task)


@pytest.mark.parametrize("cls", [c for c in METHODS if c.traits.images > 1], ids=lambda c: c.__name__)
def test_a_batch_that_is_too_small_is_refused(cls):
    student, teacher, _, task = networks(cls, count=cls.traits.images - 1)
    with pytest.raises(SegDistillError, match=r"Raise batch_size\.$"):
        cls().build(student, teacher, task)


@pytest.mark.parametrize(
    "cls",
    [c for c in METHODS if issubclass(c, PairMethod) and c.__name__ not in ANY_RANK],
    ids=lambda c: c.__name__,
)
def test_maps_of_different_rank_are_refused(cls):
    one, other = (2, 3) if {2, 3} <= set(cls.traits.dimensions) else (cls.traits.dimensions[0], 3)
    task, count = tasks(cls)[0], max(2, cls.traits.images)
    student, teacher = (output(SIZES[n][0], task, count=count) for n in (one, other))
    if one != other:
        with pytest.raises(SegDistillError, match=f"{one} spatial dimensions, the other {other}"):
            cls().build(student, teacher, task)


@every
def test_a_negative_weight_is_refused(cls):
    for name in [name for name in arguments(cls) if name.endswith("weight")]:
        with pytest.raises(SegDistillError, match=rf"^{cls.__name__} .*-1.*\.$"):
            cls(**{name: -1.0})


@pytest.mark.parametrize("cls", [c for c in METHODS if "weight" in arguments(c)], ids=lambda c: c.__name__)
def test_a_weight_of_zero_is_refused(cls):
    with pytest.raises(SegDistillError, match="positive weight, got 0"):
        cls(weight=0)


@every
def test_a_temperature_that_is_not_positive_is_refused(cls):
    for name, bad in product([name for name in arguments(cls) if "temperature" in name], (0, -1)):
        with pytest.raises(SegDistillError, match=f"got {bad}"):
            cls(**{name: bad})


@every
def test_what_is_no_finite_number_is_refused(cls):
    for name, kind in numbers(cls):
        for bad in (math.inf, math.nan, "4", True, *([1.5] if kind == "whole" else [])):
            with pytest.raises(
                SegDistillError, match=rf"^{cls.__name__} needs a {kind} number as {name}, got {bad!r}\.$"
            ):
                cls(**{name: bad})


def numbers(cls):
    """Options that are numbers, each with its kind."""
    kinds = {"int": "whole", "float": "finite"}
    for name, parameter in arguments(cls).items():
        if found := re.match("int|float", str(parameter.annotation)):
            yield name, kinds[found[0]]


@pytest.mark.parametrize("cls", [c for c in METHODS if c.traits.labels], ids=lambda c: c.__name__)
def test_no_mask_is_refused_where_it_reads_labels(cls):
    student, teacher, _, task = networks(cls)
    with pytest.raises(SegDistillError, match=rf"^{cls.__name__} reads the labels, but got no mask\."):
        build(make(cls), student, teacher, task)(student, teacher, None)


@pytest.mark.parametrize("cls", [c for c in METHODS if "taps" in arguments(c)], ids=lambda c: c.__name__)
def test_no_taps_are_refused(cls):
    with pytest.raises(SegDistillError, match="tap"):
        cls(taps=[])


@pytest.mark.parametrize("cls", [c for c in METHODS if "weight" in arguments(c)], ids=lambda c: c.__name__)
def test_scales_with_its_weight(cls):
    student, teacher, mask, task = networks(cls)
    values = [
        value(build(make(cls, weight=w), student, teacher, task), student, teacher, mask) for w in (1.0, 3.0)
    ]
    torch.testing.assert_close(3 * values[0], values[1])


@every
def test_is_documented(cls):
    text = inspect.getdoc(cls)
    assert cls.paper, "say which paper it comes from"
    assert re.search(r"(19|20)\d\d", cls.paper), "say when it was published"
    assert text.split("\n")[0].endswith("."), "begin with a sentence that says what it is for"
    for name in arguments(cls):
        assert re.search(rf"^    {name}: ", text, re.MULTILINE), f"describe {name}"


@every
def test_says_why_a_task_is_left_out(cls):
    assert len(cls.traits.tasks) == len(TASKS) or cls.traits.reason


@every
def test_reads_the_taps_that_it_declares(cls):
    method, (student, teacher, mask, task) = make(cls), networks(cls)
    read = [{"logits", *taps} for taps in (method.student_taps, method.teacher_taps)]
    for seen, taps in zip((student, teacher), read, strict=True):
        seen.features = {name: x for name, x in seen.features.items() if name in taps}
    build(method, student, teacher, task)
    assert value(method, student, teacher, mask).isfinite()


@every
def test_keeps_its_golden_value(cls, update_golden):
    student, teacher, mask, task = networks(cls)
    found = value(build(make(cls), student, teacher, task), student, teacher, mask).item()
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if update_golden:
        GOLDEN.write_text(json.dumps({**golden, cls.__name__: found}, indent=1, sort_keys=True) + "\n")
        return
    assert cls.__name__ in golden, "run pytest --update-golden and review the number"
    assert found == pytest.approx(golden[cls.__name__], rel=1e-5)
