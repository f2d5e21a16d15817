import numpy as np
import pytest
import torch

from fakes import build
from segdistill.core import Output, SegDistillError
from segdistill.methods import AICSD, ICSD, KD
from segdistill.methods.released.aicsd import ReleasedICSD
from segdistill.tasks import Binary, Multiclass, Multilabel

FOUR = Multiclass(("a", "b", "c", "d"))


def logits(channels, spatial, seed):
    return torch.randn(3, channels, *spatial, generator=torch.Generator().manual_seed(seed))


def pair(task, spatial=(5, 7)):
    student = logits(task.channels, spatial, 0).requires_grad_()
    return Output(student), Output(logits(task.channels, spatial, 1))


def value(method, task, spatial=(5, 7)):
    student, teacher = pair(task, spatial)
    build(method, student, teacher, task)
    return sum(method(student, teacher, torch.zeros(3, *spatial)).values())


def similarity(maps):
    """KL between the distributions of every two classes, one at a time, in float64."""
    p = [np.exp(m - m.max()) / np.exp(m - m.max()).sum() for m in maps.reshape(len(maps), -1)]
    return np.array([[(a * np.log(a / b)).sum() for b in p] for a in p])


def expected(student, teacher):
    squares = [(similarity(s) - similarity(t)) ** 2 for s, t in zip(student, teacher, strict=True)]
    return float(np.mean(squares))


@pytest.mark.parametrize(
    ("task", "spatial"),
    [(FOUR, (5, 7)), (Multilabel(("a", "b", "c")), (5, 7)), (FOUR, (3, 4, 5)), (FOUR, (9,))],
)
def test_every_two_classes_are_compared_by_their_divergence_over_positions(task, spatial):
    s, t = (o.logits.detach().double().numpy() for o in pair(task, spatial))
    assert value(ICSD(), task, spatial).item() == pytest.approx(expected(s, t), rel=1e-5)


@pytest.mark.parametrize("task", [Binary(), Multilabel(("a",))])
def test_a_single_channel_stands_for_background_and_foreground(task):
    def two(output):
        p = 1 / (1 + np.exp(-output.logits.detach().double().numpy()))
        return np.log(np.concatenate([1 - p, p], axis=1))

    assert value(ICSD(), task).item() == pytest.approx(expected(*map(two, pair(task))), rel=1e-5)


def test_confident_logits_of_any_size_give_no_nan():
    student, teacher = pair(FOUR)
    student = Output((student.logits * 1e4).detach().requires_grad_())
    method = build(ICSD(), student, teacher, FOUR)
    loss = method(student, teacher, torch.zeros(3, 5, 7))["ICSD/logits"]
    loss.backward()
    assert loss.isfinite()
    assert student.logits.grad.isfinite().all()


def adaptive(progress, **options):
    student, teacher = pair(FOUR)
    method = build(AICSD(**options), student, teacher, FOUR)
    method.progress = progress
    return method, method(student, teacher, torch.zeros(3, 5, 7))


@pytest.mark.parametrize("progress", [0.25, 0.9, 1.0])
def test_the_labels_and_the_classes_take_over_from_the_pixels(progress):
    method, losses = adaptive(progress, temperature=2, inter_weight=3, pixel_weight=5, weight=7)
    assert method.task_weight == progress
    inter, pixels = value(ICSD(), FOUR), value(KD(temperature=2), FOUR)
    torch.testing.assert_close(losses["AICSD/ics"], 7 * progress * 3 * inter)
    torch.testing.assert_close(losses["AICSD/pi"], 7 * (1 - progress) * 5 * pixels)


def test_no_term_is_exactly_off_at_the_first_step():
    student, teacher = pair(FOUR)
    method = build(AICSD(), student, teacher, FOUR)
    assert method.progress == 0
    assert method.task_weight == 0.01
    for loss in method(student, teacher, torch.zeros(3, 5, 7)).values():
        (gradient,) = torch.autograd.grad(loss, student.logits, retain_graph=True)
        assert gradient.abs().sum() > 0
    assert AICSD(floor=0.2).task_weight == 0.2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "AICSD needs a positive temperature, got 0"),
        ({"inter_weight": -1}, "AICSD needs a positive inter_weight, got -1"),
        ({"pixel_weight": 0}, "AICSD needs a positive pixel_weight, got 0"),
        ({"floor": 0}, "AICSD needs floor between 0 and 1, got 0"),
        ({"floor": 1}, "AICSD needs floor between 0 and 1, got 1"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        AICSD(**options)


def test_the_released_form_is_what_its_code_does():
    s, t = (o.logits.detach().double().numpy() for o in pair(FOUR))

    def table(z):
        p = np.exp(z) / np.exp(z).sum(axis=2, keepdims=True)  # over the rows of each column
        u = np.zeros((4, 4))
        for i in range(4):
            for j in range(i, 4):
                u[i, j] = u[j, i] = (p[:, j] * (np.log(p[:, j]) - p[:, i])).sum() / len(p)
        return u / np.linalg.norm(u, axis=1, keepdims=True)

    wanted = 9500 * ((table(s) - table(t)) ** 2).mean() / len(s)
    assert value(ReleasedICSD(), FOUR).item() == pytest.approx(wanted, rel=1e-4)


def test_the_released_form_refuses_a_single_channel():
    with pytest.raises(SegDistillError, match="unit-length row is constant"):
        value(ReleasedICSD(), Binary())
