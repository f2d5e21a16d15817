import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import KD, SoftBCE
from segdistill.tasks import Binary, Multiclass, Multilabel


def loss(method, student, teacher, task):
    method.build(Output(student), Output(teacher), task)
    mask = torch.zeros(len(student), *student.shape[2:])
    return method(Output(student), Output(teacher), mask)[f"{type(method).__name__}/logits"]


sigmoids = pytest.mark.parametrize("task", [Binary(), Multilabel(tuple("abc"))], ids=["binary", "multilabel"])


@sigmoids
@pytest.mark.parametrize("spatial", [(12,), (5, 4), (3, 4, 2)])
def test_equals_the_formula(task, spatial):
    student, teacher = torch.randn(2, task.channels, *spatial), 3 * torch.randn(2, task.channels, *spatial)
    p, q = (student.double() / 4).sigmoid(), (teacher.double() / 4).sigmoid()
    expected = -16 * (q * p.log() + (1 - q) * (1 - p).log()).mean()
    torch.testing.assert_close(loss(SoftBCE(temperature=4), student, teacher, task), expected.float())


@sigmoids
def test_at_equality_it_is_the_teachers_entropy_and_has_no_gradient(task):
    teacher = torch.randn(2, task.channels, 5, 4)
    student = teacher.clone().requires_grad_()
    value = loss(SoftBCE(temperature=2), student, teacher, task)
    value.backward()
    q = (teacher.double() / 2).sigmoid()
    entropy = -4 * (q * q.log() + (1 - q) * (1 - q).log()).mean()
    torch.testing.assert_close(value, entropy.float())
    torch.testing.assert_close(student.grad, torch.zeros_like(student), atol=1e-7, rtol=0)


@sigmoids
def test_its_gradient_is_that_of_kd(task):
    teacher = torch.randn(2, task.channels, 5, 4)
    gradients = []
    for method in (SoftBCE(temperature=3), KD(temperature=3)):
        student = torch.linspace(-4, 4, teacher.numel()).view_as(teacher).requires_grad_()
        loss(method, student, teacher, task).backward()
        gradients.append(student.grad)
    torch.testing.assert_close(*gradients)


def test_logits_that_overflow_a_probability_stay_finite():
    student = torch.full((1, 1, 2, 2), 500.0, requires_grad=True)
    value = loss(SoftBCE(temperature=1), student, -student.detach(), Binary())
    value.backward()
    assert value.item() == pytest.approx(500)
    torch.testing.assert_close(student.grad, torch.full_like(student, 0.25))


def test_a_softmax_is_refused():
    logits = torch.randn(2, 3, 4, 4)
    with pytest.raises(
        SegDistillError, match=r"SoftBCE works for Binary or Multilabel, not for Multiclass: .*; use KD\."
    ):
        loss(SoftBCE(), logits, logits, Multiclass(tuple("abc")))


def test_a_temperature_that_is_not_positive_is_refused():
    with pytest.raises(SegDistillError, match="SoftBCE needs a positive temperature, got 0"):
        SoftBCE(temperature=0)
