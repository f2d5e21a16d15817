import numpy as np
import pytest
import torch

from fakes import build
from segdistill.core import Output
from segdistill.methods import ClassAffinity
from segdistill.tasks import Binary, Multiclass, Multilabel


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=0)


def outcomes(x):
    return np.concatenate([1 - sigmoid(x), sigmoid(x)])


def expected(student, teacher, probabilities):
    """One less the cosine, row by row, in float64."""
    found = []
    for pair in zip(student, teacher, strict=True):
        p = [probabilities(z.reshape(len(z), -1)) for z in pair]
        for a, b in zip(*(q @ q.T for q in p), strict=True):
            found.append(1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    return np.mean(found)


@pytest.mark.parametrize(
    ("task", "probabilities"),
    [
        (Multiclass(("a", "b", "c")), softmax),
        (Multilabel(("a", "b")), sigmoid),
        (Multilabel(("a",)), outcomes),
        (Binary(), outcomes),
    ],
)
@pytest.mark.parametrize("spatial", [(7, 4), (3, 4, 5)])
def test_rows_of_the_affinity_are_compared_by_their_cosine(task, probabilities, spatial):
    g = torch.Generator().manual_seed(0)
    student, teacher = (Output(2 * torch.randn(3, task.channels, *spatial, generator=g)) for _ in range(2))
    method = build(ClassAffinity(), student, teacher, task)
    found = method(student, teacher, torch.zeros(3, *spatial))["ClassAffinity/logits"].item()
    wanted = expected(*(o.logits.double().numpy() for o in (student, teacher)), probabilities)
    assert found == pytest.approx(wanted, rel=1e-4)


def test_equal_networks_have_exactly_nothing_to_learn():
    task = Multiclass(("a", "b", "c"))
    teacher = Output(torch.randn(2, 3, 8, 8))
    student = Output(teacher.logits.clone().requires_grad_())
    loss = build(ClassAffinity(), student, teacher, task)(student, teacher, torch.zeros(2, 8, 8))
    loss["ClassAffinity/logits"].backward()
    assert loss["ClassAffinity/logits"].item() == 0
    assert not student.logits.grad.any()


def test_a_class_that_is_never_predicted_gives_no_nan():
    task = Multiclass(("a", "b", "c"))
    logits = torch.randn(2, 3, 8, 8)
    logits[:, 2] = -1e4
    student, teacher = Output(logits.requires_grad_()), Output(torch.randn(2, 3, 8, 8))
    loss = build(ClassAffinity(), student, teacher, task)(student, teacher, torch.zeros(2, 8, 8))
    loss["ClassAffinity/logits"].backward()
    assert student.logits.grad.isfinite().all()
