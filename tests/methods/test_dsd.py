"""PSD and CSD, the two terms of double similarity distillation."""

import itertools

import numpy as np
import pytest
import torch

from fakes import build
from segdistill.core import Output, SegDistillError
from segdistill.methods import CSD, PSD
from segdistill.tasks import Binary, Multiclass, Multilabel

THREE = Multiclass(("a", "b", "c"))


def networks(task=THREE, spatial=(8, 6), grids=None):
    g = torch.Generator().manual_seed(0)
    first, second = grids or (spatial, spatial)

    def one(channels):
        return Output(
            torch.randn(2, task.channels, *spatial, generator=g).requires_grad_(),
            {
                "a": torch.randn(2, channels, *first, generator=g),
                "b": torch.randn(2, 4, *second, generator=g),
            },
        )

    return one(5), one(7)


def value(method, student, teacher, task=THREE):
    mask = torch.zeros(2, *student.logits.shape[2:])
    (found,) = build(method, student, teacher, task)(student, teacher, mask).values()
    return found


def unit(x):
    return x / np.linalg.norm(x)


def expected_psd(*outputs):
    """Level by level and image by image, in float64, for maps of one size."""
    both = []
    for output in outputs:
        maps = [x.detach().double().numpy() for x in (output["a"], output["b"], output.logits)]
        images = [[unit((x[n] ** 2).mean(axis=0).ravel()) for x in maps] for n in range(2)]
        both.append([[unit(p - q) for p, q in itertools.combinations(image, 2)] for image in images])
    return ((np.array(both[0]) - np.array(both[1])) ** 2).sum(axis=-1).mean()


@pytest.mark.parametrize(
    ("task", "spatial"), [(THREE, (8, 6)), (Binary(), (8, 6)), (THREE, (4, 3, 5)), (THREE, (9,))]
)
def test_differences_of_attention_between_all_levels_are_compared(task, spatial):
    student, teacher = networks(task, spatial)
    found = value(PSD(taps=["a", "b"]), student, teacher, task)
    assert found.item() == pytest.approx(expected_psd(student, teacher), rel=1e-4)


def test_all_levels_are_brought_to_the_size_of_the_first():
    student, teacher = networks(grids=((4, 3), (8, 6)))
    halves = [
        Output(
            torch.nn.functional.avg_pool2d(o.logits.square().mean(1, keepdim=True), 2).sqrt(),
            {
                "a": o["a"],
                "b": torch.nn.functional.avg_pool2d(o["b"].square().mean(1, keepdim=True), 2).sqrt(),
            },
        )
        for o in (student, teacher)
    ]
    found = value(PSD(taps=["a", "b"]), student, teacher)
    assert found.item() == pytest.approx(expected_psd(*halves), rel=1e-4)


def test_the_logits_are_always_a_level_and_counted_once():
    student, teacher = networks()
    assert PSD(taps="a").taps == {"a": "a", "logits": "logits"}
    torch.testing.assert_close(
        value(PSD(taps=["a", "logits"]), student, teacher), value(PSD(taps="a"), student, teacher)
    )


def test_two_names_of_one_map_give_a_finite_gradient():
    student, teacher = networks()
    for output in (student, teacher):
        output.features["b"] = output["a"]
    student["a"].requires_grad_()
    value(PSD(taps=["a", "b"]), student, teacher).backward()
    assert student["a"].grad.isfinite().all()
    assert student["a"].grad.abs().max() < 1


def test_no_level_besides_the_logits_is_refused():
    with pytest.raises(SegDistillError, match="PSD compares features with the logits, but got no feature"):
        PSD(taps="logits")


def log_sigmoids(z):
    return np.concatenate([-np.log1p(np.exp(z)), -np.log1p(np.exp(-z))], axis=1)


def expected_csd(student, teacher, t, maps=lambda z: z):
    """Two by two pixels averaged, borders dropped, in float64."""
    tables = []
    for output in (student, teacher):
        z = maps(output.logits.detach().double().numpy())
        height, width = (n // 2 * 2 for n in z.shape[2:])
        z = z[:, :, :height, :width].reshape(*z.shape[:2], height // 2, 2, width // 2, 2).mean(axis=(3, 5))
        p = np.exp(z / t).reshape(*z.shape[:2], -1)
        p /= p.sum(axis=2, keepdims=True)
        tables.append(np.einsum("ncp,ndp->ncd", p, p) * p.shape[2])
    return ((tables[0] - tables[1]) ** 2).mean()


@pytest.mark.parametrize(
    ("task", "maps"),
    [(THREE, lambda z: z), (Multilabel(("a", "b")), lambda z: z), (Binary(), log_sigmoids)],
    ids=["multiclass", "multilabel", "binary"],
)
@pytest.mark.parametrize("spatial", [(8, 6), (9, 7)])
def test_overlaps_of_every_two_classes_are_compared(task, maps, spatial):
    student, teacher = networks(task, spatial)
    found = value(CSD(temperature=0.5), student, teacher, task)
    assert found.item() == pytest.approx(expected_csd(student, teacher, 0.5, maps), rel=1e-4)


@pytest.mark.parametrize("spatial", [(1, 6), (1,), (1, 4, 6)])
def test_a_map_of_one_row_is_pooled_along_the_others(spatial):
    student, teacher = networks(spatial=spatial)
    value(CSD(), student, teacher).backward()
    assert student.logits.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "CSD needs a positive temperature, got 0"),
        ({"pool": 0}, "CSD needs pool of at least 1, got 0"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        CSD(**options)
