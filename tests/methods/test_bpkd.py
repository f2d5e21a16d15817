import itertools

import numpy as np
import pytest
import torch

from fakes import build, labels
from segdistill.core import Output, SegDistillError
from segdistill.methods import BPKD
from segdistill.methods.bpkd import edges_of
from segdistill.tasks import Binary, Multiclass, Multilabel

THREE = Multiclass(("a", "b", "c"))


def pair(task, spatial, count=2):
    g = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(count, task.channels, *spatial, generator=g) for _ in range(2))
    return Output(student.requires_grad_()), Output(teacher)


def value(method, task, mask):
    spatial = tuple(
        mask.shape[-1:] if mask.ndim == 2 else mask.shape[2 if isinstance(task, Multilabel) else 1 :]
    )
    student, teacher = pair(task, spatial, len(mask))
    return build(method, student, teacher, task)(student, teacher, mask)["BPKD/logits"]


def edge_by_looking_around(region, kernel):
    """A pixel is on the edge where some in its cube are of the region and some are not."""
    edge, reach = np.zeros(region.shape), kernel // 2
    for at in itertools.product(*map(range, region.shape)):
        around = region[tuple(slice(max(0, n - reach), n + reach + 1) for n in at)]
        edge[at] = around.any() and not around.all()
    return edge


@pytest.mark.parametrize("spatial", [(40,), (12, 17), (6, 9, 8)])
@pytest.mark.parametrize("kernel", [3, 5])
def test_the_edge_is_where_a_cube_holds_both_sides(spatial, kernel):
    region = labels(tuple(n // 2 * 4 for n in spatial), Binary(), count=1)[0].numpy()
    found = edges_of(torch.from_numpy(region)[None, None].float(), kernel)[0, 0].numpy()
    np.testing.assert_array_equal(found, edge_by_looking_around(region, kernel))


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def kl(t, s, axis):
    return (t * np.log(t / s)).sum(axis=axis)


def expected(task, mask, distributions, *, t, kernel, body, edge):
    """Sum over images, classes and pixels, one at a time, in float64."""
    s_all, t_all = (o.logits.detach().double().numpy() for o in pair(task, tuple(mask.shape[-2:]), len(mask)))
    targets, valid = task.targets(mask).numpy(), task.valid(mask).numpy()[:, 0]
    bodies, edges = [], []
    for n in range(len(mask)):
        pixels, along = distributions(t_all[n] / t, s_all[n] / t), []
        for c in range(task.channels):
            m = edge_by_looking_around(targets[n, c], kernel)
            inside = (1 - m) * valid[n]
            maps = [softmax((x[n, c] * inside / t).ravel(), 0) for x in (t_all, s_all)]
            bodies.append(kl(*maps, 0))
            on = (m * valid[n]).astype(bool)
            if on.any():
                along.append(pixels[min(c, len(pixels) - 1)][on].mean())
        edges.append(np.mean(along) if along else 0)
    return t**2 * (body * np.mean(bodies) + edge * np.mean(edges))


def one_softmax(t, s):
    return [kl(softmax(t, 0), softmax(s, 0), 0)]


def bernoulli(t, s):
    p, q = (1 / (1 + np.exp(-x)) for x in (t, s))
    return p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))


@pytest.mark.parametrize(
    ("task", "distributions"),
    [(THREE, one_softmax), (Binary(), bernoulli), (Multilabel(("a", "b")), bernoulli)],
    ids=["multiclass", "binary", "multilabel"],
)
@pytest.mark.parametrize("ignored", [False, True])
def test_edges_and_bodies_add_up(task, distributions, ignored):
    mask = labels((12, 20), task, count=3, ignored=ignored)
    mask[1] = 0  # no edge at all
    options = {"kernel": 3, "body": 2.0, "edge": 5.0}
    found = value(BPKD(temperature=2, **options), task, mask)
    assert found.item() == pytest.approx(expected(task, mask, distributions, t=2, **options), rel=1e-5)


def test_an_image_without_an_edge_has_only_a_body():
    mask = torch.zeros(2, 12, 12, dtype=torch.long)
    torch.testing.assert_close(value(BPKD(edge=5), THREE, mask), value(BPKD(edge=1), THREE, mask))


def test_ignored_pixels_give_no_gradient():
    mask = labels((12, 12), THREE)
    mask[:, 4:8] = 255
    student, teacher = pair(THREE, (12, 12))
    build(BPKD(), student, teacher, THREE)(student, teacher, mask)["BPKD/logits"].backward()
    assert not student.logits.grad[:, :, 4:8].any()
    assert student.logits.grad[:, :, :4].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "positive temperature, got 0"),
        ({"body": 0}, "positive body, got 0"),
        ({"edge": -1}, "positive edge, got -1"),
        ({"kernel": 4}, "odd kernel of at least 3, got 4"),
        ({"kernel": 1}, "odd kernel of at least 3, got 1"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        BPKD(**options)
