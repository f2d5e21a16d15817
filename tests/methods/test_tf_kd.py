import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import TfKD
from segdistill.tasks import Binary, Multiclass, Multilabel

CLASSES = Multiclass(tuple("abcd"))


def loss(method, student, mask, task=CLASSES):
    own = Output(student.detach())
    method.build(own, own, task)
    return method(Output(student), own, mask)["TfKD/logits"]


def tempered(p, temperature):
    raised = p ** (1 / temperature)
    return raised / raised.sum()


def at_pixel(probabilities, label, confidence, temperature):
    """The loss of one distribution, in double precision."""
    teacher = np.full(len(probabilities), (1 - confidence) / (len(probabilities) - 1))
    teacher[label] = confidence
    t, s = tempered(teacher, temperature), tempered(probabilities, temperature)
    return temperature**2 * (t * np.log(t / s)).sum()


@pytest.mark.parametrize("spatial", [(12,), (5, 4), (3, 4, 2)])
def test_equals_the_formula_with_ignored_pixels_left_out(spatial):
    student, mask = torch.randn(2, 4, *spatial), torch.randint(0, 4, (2, *spatial))
    mask[0, 1:] = 255
    images = []
    for z, m in zip(student.double().softmax(dim=1), mask, strict=True):
        rows = zip(z.flatten(1).T.numpy(), m.flatten().tolist(), strict=True)
        images.append(np.mean([at_pixel(p, label, 0.9, 5) for p, label in rows if label != 255]))
    found = loss(TfKD(confidence=0.9, temperature=5), student, mask)
    torch.testing.assert_close(found, torch.tensor(np.mean(images), dtype=torch.float32))


@pytest.mark.parametrize("task", [Binary(), Multilabel(tuple("abc"))], ids=["binary", "multilabel"])
def test_a_sigmoid_channel_is_a_distribution_of_two_outcomes(task):
    shape = (2, 5, 4) if task.channels == 1 else (2, 3, 5, 4)
    student, mask = torch.randn(2, task.channels, 5, 4), torch.randint(0, 2, shape)
    mask[0, ..., :3] = 255
    p = student.double().sigmoid()
    truth = mask.view_as(p)
    images = [
        np.mean(
            [
                at_pixel(np.array([1 - x, x]), label, 0.9, 5)
                for x, label in zip(p[n].flatten().tolist(), truth[n].flatten().tolist(), strict=True)
                if label != 255
            ]
        )
        for n in range(2)
    ]
    found = loss(TfKD(confidence=0.9, temperature=5), student, mask, task)
    torch.testing.assert_close(found, torch.tensor(np.mean(images), dtype=torch.float32))


def test_its_minimum_is_a_student_as_sure_as_the_virtual_teacher():
    mask = torch.randint(0, 4, (2, 5, 4))
    p = torch.full((2, 4, 5, 4), 0.01 / 3).scatter(1, mask.unsqueeze(1), 0.99)
    student = p.log().requires_grad_()
    value = loss(TfKD(), student, mask)
    value.backward()
    assert value.item() == pytest.approx(0, abs=1e-4)
    torch.testing.assert_close(student.grad, torch.zeros_like(student), atol=1e-6, rtol=0)


def test_a_batch_without_labels_is_zero_with_a_graph():
    student = torch.randn(2, 4, 5, 4, requires_grad=True)
    value = loss(TfKD(), student, torch.full((2, 5, 4), 255))
    value.backward()
    assert value.item() == 0
    assert not student.grad.any()


def test_says_what_the_supervised_loss_is_worth_beside_it():
    assert TfKD(weight=0.05, task_weight=0.95).task_weight == 0.95
    assert TfKD().task_weight == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"confidence": 0.5}, "confidence between 0.5 and 1, got 0.5"),
        ({"confidence": 1}, "confidence between 0.5 and 1, got 1"),
        ({"temperature": 0}, "positive temperature, got 0"),
        ({"task_weight": -0.1}, "task_weight of at least 0, got -0.1"),
    ],
)
def test_impossible_constants_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        TfKD(**options)
