import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import KD, LSKD
from segdistill.tasks import Binary, Multiclass, Multilabel

CLASSES = Multiclass(tuple("abcd"))


def loss(method, student, teacher, task=CLASSES):
    method.build(Output(student), Output(teacher), task)
    mask = torch.zeros(len(student), *student.shape[2:])
    return method(Output(student), Output(teacher), mask)[f"{type(method).__name__}/logits"]


def by_formula(student, teacher, temperature):
    """Pixel by pixel, in double precision."""
    rows = [x.detach().double().movedim(1, -1).flatten(0, -2).numpy() for x in (student, teacher)]
    values = []
    for s, t in zip(*rows, strict=True):
        z = [(row - row.mean()) / (row.std(ddof=1) + 1e-7) / temperature for row in (s, t)]
        p, q = (np.exp(row) / np.exp(row).sum() for row in z)
        values.append((q * np.log(q / p)).sum())
    return torch.tensor(temperature**2 * np.mean(values), dtype=torch.float32)


@pytest.mark.parametrize("spatial", [(6,), (5, 4), (3, 4, 2)])
def test_equals_the_formula(spatial):
    student, teacher = torch.randn(2, 4, *spatial), 3 * torch.randn(2, 4, *spatial)
    torch.testing.assert_close(loss(LSKD(temperature=2), student, teacher), by_formula(student, teacher, 2.0))


def test_is_zero_for_a_student_that_is_less_sure_but_of_the_same_opinion():
    teacher = torch.randn(2, 4, 5, 5)
    assert loss(LSKD(), 0.2 * teacher + 3, teacher).item() == pytest.approx(0, abs=1e-6)
    assert loss(KD(), 0.2 * teacher + 3, teacher).item() > 0.1


def test_a_network_that_knows_nothing_yet_gets_no_exploding_gradient():
    student = torch.full((2, 4, 5, 5), 0.1, requires_grad=True)
    loss(LSKD(), student, torch.randn(2, 4, 5, 5)).backward()
    assert torch.equal(student.grad, torch.zeros_like(student))


def test_a_pixel_without_an_opinion_stands_for_the_uniform_distribution():
    student = torch.randn(1, 4, 1, 2)
    teacher = student.clone()
    teacher[..., 0] = 5.0
    teacher[..., 1] = student[..., 1]
    z = student[0, :, 0, 0].double()
    s = ((z - z.mean()) / z.std() / 2).log_softmax(dim=0)
    expected = 4 * (-np.log(4) - s.mean()) / 2  # one of two pixels
    torch.testing.assert_close(loss(LSKD(temperature=2), student, teacher), expected.float())


@pytest.mark.parametrize("task", [Binary(), Multilabel(("a", "b", "c"))], ids=["binary", "multilabel"])
def test_sigmoid_channels_are_refused(task):
    logits = torch.randn(2, task.channels, 4, 4)
    with pytest.raises(
        SegDistillError, match=r"LSKD works for Multiclass, not for .*: a standard score .*; use KD\."
    ):
        loss(LSKD(), logits, logits, task)


def test_two_classes_are_refused_since_their_scores_are_constant():
    logits = torch.randn(2, 2, 4, 4)
    with pytest.raises(SegDistillError, match=r"at least 3 classes, got 2: .* ±0\.71, .* Use KD\."):
        loss(LSKD(), logits, logits, Multiclass(("a", "b")))


@pytest.mark.parametrize("temperature", [0, -1])
def test_a_temperature_that_is_not_positive_is_refused(temperature):
    with pytest.raises(SegDistillError, match=f"LSKD needs a positive temperature, got {temperature}"):
        LSKD(temperature=temperature)
