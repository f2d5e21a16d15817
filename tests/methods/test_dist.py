import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import DIST
from segdistill.tasks import Binary, Multiclass, Multilabel

CLASSES = Multiclass(tuple("abcd"))


def loss(method, student, teacher, task=CLASSES):
    method.build(Output(student), Output(teacher), task)
    mask = torch.zeros(len(student), *student.shape[2:])
    return method(Output(student), Output(teacher), mask)["DIST/logits"]


def table(logits, *, softmax):
    rows = logits.detach().double().movedim(1, -1).flatten(0, -2)
    return (rows.softmax(dim=1) if softmax else rows.sigmoid()).numpy()


def distance(rows, others):
    return np.mean([1 - np.corrcoef(a, b)[0, 1] for a, b in zip(rows, others, strict=True)])


@pytest.mark.parametrize("spatial", [(12,), (5, 4), (3, 4, 2)])
@pytest.mark.parametrize("task", [CLASSES, Multilabel(tuple("abcd"))], ids=["multiclass", "multilabel"])
def test_equals_the_formula(spatial, task):
    student, teacher = torch.randn(2, 4, *spatial), torch.randn(2, 4, *spatial)
    s, t = (table(x / 2, softmax=task is CLASSES) for x in (student, teacher))
    expected = 4 * (2 * distance(s, t) + 0.5 * distance(s.T, t.T))
    found = loss(DIST(beta=2, gamma=0.5, temperature=2), student, teacher, task)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float32))


def test_one_channel_is_correlated_over_the_pixels_of_the_batch():
    student, teacher = torch.randn(2, 1, 5, 4), torch.randn(2, 1, 5, 4)
    s, t = (table(x, softmax=False) for x in (student, teacher))
    expected = torch.tensor(distance(s.T, t.T), dtype=torch.float32)
    torch.testing.assert_close(loss(DIST(), student, teacher, Binary()), expected)


def test_two_classes_are_not_correlated_with_each_other():
    task = Multiclass(("a", "b"))
    student, teacher = torch.randn(2, 2, 5, 4), torch.randn(2, 2, 5, 4)
    s, t = (table(x, softmax=True) for x in (student, teacher))
    expected = torch.tensor(distance(s.T, t.T), dtype=torch.float32)
    torch.testing.assert_close(loss(DIST(beta=5), student, teacher, task), expected)


def test_is_zero_up_to_scale_and_shift_of_a_sigmoids_probability():
    teacher = torch.randn(2, 1, 5, 4)
    student = (0.5 * teacher.sigmoid() + 0.1).logit()
    assert loss(DIST(), student, teacher, Binary()).item() == pytest.approx(0, abs=1e-6)


def test_a_network_that_knows_nothing_yet_gets_no_exploding_gradient():
    student = torch.zeros(2, 21, 5, 4, requires_grad=True)
    value = loss(DIST(), student, torch.randn(2, 21, 5, 4), Multiclass(tuple(map(str, range(21)))))
    value.backward()
    assert value.item() == pytest.approx(2)
    assert torch.equal(student.grad, torch.zeros_like(student))


def test_a_class_that_the_teacher_never_considers_is_left_out():
    student, teacher = torch.randn(2, 4, 5, 4, requires_grad=True), torch.randn(2, 4, 5, 4)
    teacher[:, 3] = -300
    s, t = (table(x, softmax=True) for x in (student, teacher))
    expected = distance(s, t) + distance(s.T[:3], t.T[:3])
    value = loss(DIST(), student, teacher)
    value.backward()
    torch.testing.assert_close(value, torch.tensor(expected, dtype=torch.float32))
    assert student.grad.isfinite().all()


def test_a_teacher_that_says_the_same_everywhere_says_nothing():
    student = torch.randn(2, 1, 5, 4, requires_grad=True)
    value = loss(DIST(), student, torch.full((2, 1, 5, 4), -0.3), Binary())
    value.backward()
    assert value.item() == 0
    assert not student.grad.any()


@pytest.mark.parametrize("task", [Binary(), Multiclass(("a", "b"))], ids=["binary", "two classes"])
def test_nothing_left_to_compare_is_refused(task):
    logits = torch.randn(2, task.channels, 4, 4)
    with pytest.raises(SegDistillError, match=r"DIST with gamma=0 has nothing to compare: .* Set gamma=1\."):
        loss(DIST(gamma=0), logits, logits, task)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "positive temperature, got 0"),
        ({"beta": -1}, "DIST needs beta of at least 0, got -1"),
        ({"gamma": -2}, "DIST needs gamma of at least 0, got -2"),
        ({"beta": 0, "gamma": 0}, "DIST has nothing left: beta, gamma are all 0"),
    ],
)
def test_impossible_constants_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        DIST(**options)
