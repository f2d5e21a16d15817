"""SP, PKT, RKD, ICKD and token similarity against plain numpy, in float64."""

import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import ICKD, PKT, RKD, SP, TokenSimilarity, token_similarity
from segdistill.tasks import Binary


def features(shape=(4, 6, 5, 3), seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def loss(method, student, teacher):
    """A built method's single term, and the student's tensor."""
    s = torch.tensor(student, dtype=torch.float32, requires_grad=True)
    outputs = [Output(torch.zeros(len(x), 1, 4, 4), {"f": x.float()}) for x in (s, torch.tensor(teacher))]
    method.build(*outputs, Binary())
    (value,) = method(*outputs, torch.zeros(len(s), 4, 4)).values()
    return value, s


def same(value, expected):
    assert value.item() == pytest.approx(expected, rel=2e-5)


def cosines(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return x @ x.T


def kl_rows(t, s):
    def softmax(z):
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    p, q = softmax(t), softmax(s)
    return (p * np.log(p / q)).sum(axis=-1)


def test_sp_is_the_squared_distance_of_rows_of_similarity():
    s, t = features(), features((4, 9, 2, 2), 1)

    def rows(x):
        g = x.reshape(len(x), -1) @ x.reshape(len(x), -1).T
        return g / np.linalg.norm(g, axis=1, keepdims=True)

    same(loss(SP("f"), s, t)[0], ((rows(s) - rows(t)) ** 2).sum(axis=1).mean())


def test_pkt_is_the_divergence_of_probabilities_of_neighbourhood():
    s, t = features(), features((4, 9, 2, 2), 1)

    def rows(x):
        k = (cosines(x.mean(axis=(2, 3))) + 1) / 2
        return k / k.sum(axis=1, keepdims=True)

    p, q = rows(t), rows(s)
    same(loss(PKT("f"), s, t)[0], (p * np.log((p + 1e-7) / (q + 1e-7))).sum(axis=1).mean())


def smooth(d):
    d = abs(d)
    return d - 0.5 if d > 1 else 0.5 * d * d


def triplets(x):
    n = len(x)
    for i in range(n):
        for j in range(n):
            for k in range(n):
                if len({i, j, k}) == 3:
                    a, b = x[i] - x[j], x[k] - x[j]
                    yield a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def pairs(x):
    found = [np.linalg.norm(a - b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j]
    return np.array(found) / np.mean(found)


@pytest.mark.parametrize(("distance", "angle"), [(1, 0), (0, 1), (25, 50)])
def test_rkd_is_loops_over_pairs_and_triplets_of_different_images(distance, angle):
    s, t = features(), features((4, 9, 2, 2), 1) * 5
    es, et = s.mean(axis=(2, 3)), t.mean(axis=(2, 3))
    by_pairs = np.mean([smooth(a - b) for a, b in zip(pairs(es), pairs(et), strict=True)])
    by_triplets = np.mean([smooth(a - b) for a, b in zip(triplets(es), triplets(et), strict=True)])
    same(loss(RKD("f", distance=distance, angle=angle), s, t)[0], distance * by_pairs + angle * by_triplets)


@pytest.mark.parametrize("cls", [SP, PKT, RKD])
def test_images_without_any_feature_give_no_nan(cls):
    s = np.concatenate([np.zeros((2, 6, 5, 3)), features()[:1]])
    value, student = loss(cls("f"), s, features()[:3])
    value.backward()
    assert value.isfinite()
    assert student.grad.isfinite().all()
    assert student.grad.abs().max() < 1e3


@pytest.mark.parametrize("cls", [SP, PKT])
def test_twice_the_same_batch_has_the_same_value(cls):
    s, t = features(), features(seed=1)
    twice = [np.concatenate([x, x]) for x in (s, t)]
    torch.testing.assert_close(loss(cls("f"), s, t)[0], loss(cls("f"), *twice)[0])


@pytest.mark.parametrize(("cls", "least"), [(SP, 2), (PKT, 2), (RKD, 3)])
def test_too_few_images_are_refused_at_any_step(cls, least):
    message = f"{cls.__name__} compares images with each other: it needs {least} of them in a batch, got "
    few = features((least - 1, 6, 2, 2))
    with pytest.raises(SegDistillError, match=message + str(least - 1)):
        loss(cls("f"), few, few)
    method = cls("f")
    loss(method, features(), features())
    output = Output(torch.zeros(1, 1, 4, 4), {"f": torch.randn(1, 6, 5, 3)})
    with pytest.raises(SegDistillError, match=message + "1. Raise batch_size"):
        method(output, output, torch.zeros(1, 4, 4))


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_ickd_compares_correlations_within_each_patch(grid):
    s, t = features(), features(seed=1)
    high, wide = -(-5 // grid), -(-3 // grid)
    distances = []
    for a, b in zip(s, t, strict=True):
        for top in range(0, 5, high):
            for left in range(0, 3, wide):
                rows = []
                for x in (a, b):
                    patch = x[:, top : top + high, left : left + wide].reshape(6, -1)
                    g = patch @ patch.T
                    rows.append(g / np.linalg.norm(g, axis=1, keepdims=True))
                distances.append(((rows[0] - rows[1]) ** 2).sum(axis=1).mean())
    same(loss(ICKD("f", grid=grid), s, t)[0], np.mean(distances))


def test_ickd_cuts_volumes_too():
    method = ICKD("f", grid=2)
    value, _ = loss(method, features((2, 3, 4, 3, 5)), features((2, 3, 4, 3, 5), 1))
    assert value > 0
    assert method.correlation(torch.randn(2, 3, 4, 3, 5)).shape == (2, 8, 3, 3)


def test_token_similarity_is_the_divergence_of_rows_within_an_image():
    s, t = features(), features((4, 9, 5, 3), 1)
    expected = [
        kl_rows(cosines(b.reshape(9, -1).T) / 0.2, cosines(a.reshape(6, -1).T) / 0.2).mean()
        for a, b in zip(s, t, strict=True)
    ]
    same(loss(TokenSimilarity("f", temperature=0.2), s, t)[0], np.mean(expected))


@pytest.mark.parametrize(
    ("size", "tokens", "grid"),
    [((8, 8), 16, (4, 4)), ((16, 4), 16, (8, 2)), ((8, 8, 8), 8, (2, 2, 2)), ((99, 1), 16, (16, 1))],
)
def test_token_similarity_averages_large_maps_to_few_tokens(size, tokens, grid):
    s, t = features((2, 3, *size)), features((2, 3, *size), 1)
    method, plain = TokenSimilarity("f", tokens=tokens), TokenSimilarity("f")
    pool = {1: torch.nn.functional.adaptive_avg_pool2d, 2: torch.nn.functional.adaptive_avg_pool3d}[
        len(size) - 1
    ]
    small = [pool(torch.tensor(x), grid).numpy() for x in (s, t)]
    torch.testing.assert_close(loss(method, s, t)[0], loss(plain, *small)[0])


@pytest.mark.parametrize("tokens", [2, 3, 7, 50, 64])
def test_no_map_has_more_tokens_than_allowed(tokens):
    for size in [(64, 2), (7, 9), (1, 100), (3, 4, 90), (1, 1, 65)]:
        found = token_similarity._at_most(tokens, size)
        assert 1 <= np.prod(found) <= tokens, (size, found)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RKD(distance=-1), "RKD needs distance of at least 0, got -1"),
        (lambda: RKD(distance=0, angle=0), "RKD has nothing left: distance, angle are all 0"),
        (lambda: ICKD(grid=0), "ICKD needs grid of at least 1, got 0"),
        (lambda: TokenSimilarity(temperature=0), "TokenSimilarity needs a positive temperature, got 0"),
        (lambda: TokenSimilarity(tokens=1), "needs tokens of at least 2, got 1"),
    ],
)
def test_impossible_numbers_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()
