import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import DKD, KD
from segdistill.tasks import Binary, Multiclass, Multilabel

CLASSES = Multiclass(tuple("abcd"))


def loss(method, student, teacher, mask, task=CLASSES):
    method.build(Output(student), Output(teacher), task)
    return method(Output(student), Output(teacher), mask)[f"{type(method).__name__}/logits"]


def kl(t, s):
    return (t * np.log(t / s)).sum()


def at_pixel(s, t, label, alpha, beta, temperature):
    """The loss of one pixel from its logits, in double precision."""
    p, q = (np.exp(z / temperature) / np.exp(z / temperature).sum() for z in (t, s))
    label_or_not = [np.array([x[label], 1 - x[label]]) for x in (p, q)]
    rest = [np.delete(x, label) / np.delete(x, label).sum() for x in (p, q)]
    return temperature**2 * (alpha * kl(*label_or_not) + beta * kl(*rest))


def by_formula(student, teacher, mask, *constants):
    images = []
    for s, t, m in zip(student.double(), teacher.double(), mask, strict=True):
        rows = zip(s.flatten(1).T.numpy(), t.flatten(1).T.numpy(), m.flatten().tolist(), strict=True)
        values = [at_pixel(*row, *constants) for row in rows if row[2] != 255]
        images.append(np.mean(values) if values else 0.0)
    return torch.tensor(np.mean(images), dtype=torch.float32)


@pytest.mark.parametrize("spatial", [(12,), (5, 4), (3, 4, 2)])
def test_equals_the_formula_with_ignored_pixels_left_out(spatial):
    student, teacher = torch.randn(2, 4, *spatial), 3 * torch.randn(2, 4, *spatial)
    mask = torch.randint(0, 4, (2, *spatial))
    mask[0, 1:] = 255
    found = loss(DKD(alpha=0.5, beta=2, temperature=3), student, teacher, mask)
    torch.testing.assert_close(found, by_formula(student, teacher, mask, 0.5, 2.0, 3.0))


def test_ignored_pixels_get_no_gradient():
    student = torch.randn(2, 4, 5, 5, requires_grad=True)
    mask = torch.randint(0, 4, (2, 5, 5))
    mask[:, :2] = 255
    loss(DKD(), student, torch.randn(2, 4, 5, 5), mask).backward()
    assert not student.grad[:, :, :2].any()
    assert student.grad[:, :, 2:].abs().amin() > 0


def test_a_batch_without_labels_is_zero_with_a_graph():
    student = torch.randn(2, 4, 5, 5, requires_grad=True)
    value = loss(DKD(), student, torch.randn(2, 4, 5, 5), torch.full((2, 5, 5), 255))
    value.backward()
    assert value.item() == 0
    assert not student.grad.any()


def test_its_parts_make_up_kd_when_the_second_is_weighted_by_what_the_teacher_leaves():
    student, teacher, mask = torch.randn(1, 4, 1, 1), torch.randn(1, 4, 1, 1), torch.tensor([[[2]]])
    left = 1 - teacher.softmax(dim=1)[0, 2].item()
    whole = loss(KD(), student, teacher, mask)
    parts = loss(DKD(alpha=1, beta=left, temperature=1), student, teacher, mask)
    torch.testing.assert_close(parts, whole)


def test_a_teacher_that_is_certain_of_the_label_still_teaches_the_other_classes():
    teacher = torch.zeros(1, 4, 2, 2)
    teacher[:, 0], teacher[:, 1] = 200, 3
    student = torch.zeros(1, 4, 2, 2, requires_grad=True)
    value = loss(DKD(alpha=0, beta=1, temperature=1), student, teacher, torch.zeros(1, 2, 2))
    value.backward()
    q = np.exp([3, 0, 0]) / np.exp([3, 0, 0]).sum()
    assert value.item() == pytest.approx(kl(q, np.full(3, 1 / 3)), rel=1e-5)
    assert student.grad[:, 0].abs().max() == 0
    assert (student.grad[:, 1] < 0).all()


def test_two_classes_are_refused():
    logits, mask = torch.randn(2, 2, 4, 4), torch.zeros(2, 4, 4)
    with pytest.raises(SegDistillError, match=r"DKD needs at least 3 classes, got 2: .* Use KD\."):
        loss(DKD(), logits, logits, mask, Multiclass(("a", "b")))


@pytest.mark.parametrize("task", [Binary(), Multilabel(("a", "b", "c"))], ids=["binary", "multilabel"])
def test_sigmoid_channels_are_refused(task):
    logits = torch.randn(2, task.channels, 4, 4)
    with pytest.raises(
        SegDistillError, match=r"DKD works for Multiclass, not for .*: beside the label .*; use KD\."
    ):
        loss(DKD(), logits, logits, torch.zeros(2, 4, 4), task)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "positive temperature, got 0"),
        ({"alpha": -1}, "DKD needs alpha of at least 0, got -1"),
        ({"alpha": 1, "beta": -1}, "DKD needs beta of at least 0, got -1"),
        ({"alpha": 0, "beta": 0}, "DKD has nothing left: alpha, beta are all 0"),
    ],
)
def test_impossible_constants_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        DKD(**options)
