import pytest
import torch
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError
from segdistill.methods import LabelSmoothing, TfKD
from segdistill.tasks import Binary, Multiclass, Multilabel

CLASSES = Multiclass(tuple("abcd"))


def loss(method, student, mask, task=CLASSES):
    own = Output(student.detach())
    method.build(own, own, task)
    return method(Output(student), own, mask)[f"{type(method).__name__}/logits"]


def entropy(probabilities):
    p = torch.tensor(probabilities, dtype=torch.float64)
    return -(p * p.log()).sum()


@pytest.mark.parametrize("spatial", [(12,), (5, 4), (3, 4, 2)])
def test_is_the_smoothed_cross_entropy_less_its_constant(spatial):
    student, mask = torch.randn(2, 4, *spatial), torch.randint(0, 4, (2, *spatial))
    mask[0, 1:] = 255
    images = [
        F.cross_entropy(z[None], m[None], label_smoothing=0.2, ignore_index=255)
        for z, m in zip(student.double(), mask, strict=True)
    ]
    expected = sum(images) / 2 - entropy([0.85, 0.05, 0.05, 0.05])
    torch.testing.assert_close(loss(LabelSmoothing(0.2), student, mask), expected.float())


@pytest.mark.parametrize("task", [Binary(), Multilabel(tuple("abc"))], ids=["binary", "multilabel"])
def test_a_sigmoid_channel_has_two_outcomes(task):
    shape = (2, 5, 4) if task.channels == 1 else (2, 3, 5, 4)
    student, mask = torch.randn(2, task.channels, 5, 4), torch.randint(0, 2, shape)
    labels = 0.8 * mask.view_as(student).double() + 0.1
    expected = F.binary_cross_entropy_with_logits(student.double(), labels) - entropy([0.9, 0.1])
    torch.testing.assert_close(loss(LabelSmoothing(0.2), student, mask, task), expected.float())


def test_a_share_of_foreground_is_smoothed_as_a_probability():
    student, mask = torch.zeros(1, 1, 1, 1), torch.full((1, 1, 1), 0.3)
    expected = torch.tensor(2.0).log() - entropy([0.68, 0.32])
    torch.testing.assert_close(loss(LabelSmoothing(0.1), student, mask, Binary()), expected.float())


def test_is_a_virtual_teacher_at_temperature_one():
    student, mask = torch.randn(2, 4, 5, 4), torch.randint(0, 4, (2, 5, 4))
    smoothed, taught = LabelSmoothing(0.2), TfKD(confidence=0.85, temperature=1)
    torch.testing.assert_close(loss(smoothed, student, mask), loss(taught, student, mask))


def test_an_image_without_labels_counts_as_zero():
    student, mask = torch.randn(2, 4, 5, 4, requires_grad=True), torch.randint(0, 4, (2, 5, 4))
    mask[1] = 255
    value = loss(LabelSmoothing(), student, mask)
    value.backward()
    torch.testing.assert_close(value, loss(LabelSmoothing(), student[:1], mask[:1]) / 2)
    assert not student.grad[1].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smoothing": 0}, "smoothing between 0 and 1, got 0"),
        ({"smoothing": 1}, "smoothing between 0 and 1, got 1"),
        ({"task_weight": -1}, "task_weight of at least 0, got -1"),
    ],
)
def test_impossible_constants_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        LabelSmoothing(**options)
