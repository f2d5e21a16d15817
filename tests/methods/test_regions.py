"""RAD and IFVD, and the regions of the labels that both read."""

import itertools

import numpy as np
import pytest
import torch

from fakes import build, labels
from segdistill.core import Output
from segdistill.methods import AT, IFVD, RAD
from segdistill.methods.parts.regions import full_regions, region_means, regions
from segdistill.methods.released.ifvd import ReleasedIFVD
from segdistill.tasks import Binary, Multiclass, Multilabel

FOUR = Multiclass(("a", "b", "c", "d"))
ALL = pytest.mark.parametrize(
    "task", [FOUR, Binary(), Multilabel(("a", "b"))], ids=lambda t: type(t).__name__
)


def networks(spatial, *, channels=(5, 7), sizes=None, count=3):
    """Outputs whose feature `f` has as many channels, and sizes, as each network likes."""
    g = torch.Generator().manual_seed(0)
    grids = sizes or (spatial, spatial)
    maps = [torch.randn(count, c, *grid, generator=g) for c, grid in zip(channels, grids, strict=True)]
    logits = torch.zeros(count, 1, *spatial)
    return Output(logits, {"f": maps[0].requires_grad_()}), Output(logits, {"f": maps[1]})


def value(method, student, teacher, mask, task):
    fits = [
        Output(torch.zeros(len(o.logits), task.channels, *o.logits.shape[2:]), o.features)
        for o in (student, teacher)
    ]
    (found,) = build(method, *fits, task)(*fits, mask).values()
    return found


def indicator(task, mask):
    """Regions by hand, `(B, K, *spatial)`: the background comes first."""
    mask = mask.numpy()
    if isinstance(task, Multilabel):
        valid = (mask != 255).all(axis=1, keepdims=True)
        on = (mask == 1) & valid
        return np.concatenate([~on.any(axis=1, keepdims=True) & valid, on], axis=1).astype(float)
    return np.stack([mask == k for k in range(max(2, task.channels))], axis=1).astype(float)


def means(feature, shares):
    """Mean feature of the regions that there are, by number."""
    return {
        k: (feature * share).reshape(len(feature), -1).sum(axis=1) / share.sum()
        for k, share in enumerate(shares)
        if share.sum()
    }


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def expected_rad(features, shares):
    found = []
    for n in range(len(shares[0])):
        both = [means(f[n], share[n]) for f, share in zip(features, shares, strict=True)]
        pairs = [
            cosine(both[0][k], both[0][m]) - cosine(both[1][k], both[1][m])
            for k, m in itertools.combinations(both[0], 2)
        ]
        found.append(np.mean(np.square(pairs)) if pairs else 0)
    return np.mean(found)


def expected_ifvd(features, shares):
    found = []
    for n, share in enumerate(shares):
        total = 0
        for k in range(len(share)):
            for at in np.argwhere(share[k] > 0):
                where = (slice(None), *at)
                s, t = (cosine(f[n][where], means(f[n], share)[k]) for f in features)
                total += share[(k, *at)] * (s - t) ** 2
        found.append(total / share.sum() if share.sum() else 0)
    return np.mean(found)


def arrays(*outputs):
    return [o["f"].detach().double().numpy() for o in outputs]


@ALL
@pytest.mark.parametrize("spatial", [(16, 8), (8, 4, 8)])
@pytest.mark.parametrize("ignored", [False, True])
def test_rad_compares_every_two_regions_of_an_image(task, spatial, ignored):
    mask = labels(spatial, task, count=3, ignored=ignored)
    student, teacher = networks(spatial)
    shares = indicator(task, mask)
    found = value(RAD(taps="f"), student, teacher, mask, task)
    assert found.item() == pytest.approx(expected_rad(arrays(student, teacher), [shares] * 2), rel=1e-4)


@ALL
@pytest.mark.parametrize("spatial", [(16, 8), (8, 4, 8)])
@pytest.mark.parametrize("ignored", [False, True])
def test_ifvd_compares_every_labelled_pixel_with_the_mean_of_its_class(task, spatial, ignored):
    mask = labels(spatial, task, count=3, ignored=ignored)
    student, teacher = networks(spatial)
    found = value(IFVD(taps="f"), student, teacher, mask, task)
    assert found.item() == pytest.approx(
        expected_ifvd(arrays(student, teacher), indicator(task, mask)), rel=1e-4
    )


def shrunk(shares, cell):
    batch, kinds, height, width = shares.shape
    return shares.reshape(batch, kinds, height // cell, cell, width // cell, cell).mean(axis=(3, 5))


def test_rad_takes_each_network_at_its_own_size():
    mask = labels((16, 8), FOUR, count=3)
    student, teacher = networks((16, 8), sizes=((4, 2), (8, 4)))
    shares = [shrunk(indicator(FOUR, mask), cell) for cell in (4, 2)]
    found = value(RAD(taps="f"), student, teacher, mask, FOUR)
    assert found.item() == pytest.approx(expected_rad(arrays(student, teacher), shares), rel=1e-4)


def test_a_cell_of_several_classes_counts_for_each_by_its_share():
    mask = torch.randint(0, 4, (3, 16, 8), generator=torch.Generator().manual_seed(0))
    student, teacher = networks((16, 8), sizes=((4, 2), (4, 2)))
    shares = shrunk(indicator(FOUR, mask), 4)
    found = value(IFVD(taps="f"), student, teacher, mask, FOUR)
    assert found.item() == pytest.approx(expected_ifvd(arrays(student, teacher), shares), rel=1e-4)


def test_a_region_of_one_pixel_is_not_lost_in_a_coarse_feature():
    mask = torch.zeros(1, 32, 32, dtype=torch.long)
    mask[0, 5, 5] = 1
    shares = regions(Binary(), mask, (2, 2))
    assert shares[0, 1].flatten().tolist() == [1 / 256, 0, 0, 0]
    feature = torch.randn(1, 3, 2, 2)
    torch.testing.assert_close(region_means(feature, shares)[0, 1], feature[0, :, 0, 0])


@pytest.mark.parametrize(
    "method", [RAD(taps="f"), IFVD(taps="f"), ReleasedIFVD(taps="f")], ids=lambda m: type(m).__name__
)
@pytest.mark.parametrize("label", [0, 255])
def test_images_without_regions_to_compare_leave_the_others_alone(method, label):
    mask = labels((8, 8), FOUR, count=3)
    student, teacher = networks((8, 8))
    kept = [Output(o.logits[:2], {"f": o["f"][:2]}) for o in (student, teacher)]
    mask[2] = label
    whole = value(method, student, teacher, mask, FOUR)
    if isinstance(method, RAD) or label == 255:
        torch.testing.assert_close(whole, value(method, *kept, mask[:2], FOUR) * 2 / 3)
    whole.backward()
    assert student["f"].grad.isfinite().all()


@pytest.mark.parametrize("cls", [RAD, IFVD])
def test_a_batch_without_any_label_is_zero_with_a_graph(cls):
    student, teacher = networks((8, 8))
    loss = value(cls(taps="f"), student, teacher, torch.full((3, 8, 8), 255), FOUR)
    loss.backward()
    assert loss.item() == 0
    assert not student["f"].grad.any()


@pytest.mark.parametrize("cls", [RAD, IFVD])
def test_a_feature_that_is_zero_somewhere_gives_no_nan(cls):
    student, teacher = networks((8, 8))
    dead = student["f"].detach().clone()
    dead[0], dead[1, :, 2:5] = 0, 0
    student.features["f"] = dead.requires_grad_()
    value(cls(taps="f"), student, teacher, labels((8, 8), FOUR, count=3), FOUR).backward()
    assert dead.grad.isfinite().all()
    assert dead.grad.abs().max() < 10


def test_what_a_share_of_foreground_leaves_is_background():
    found = full_regions(Binary(), torch.tensor([[0.0, 0.3, 1.0, 255.0]]))
    torch.testing.assert_close(found[0], torch.tensor([[1.0, 0.7, 0.0, 0.0], [0.0, 0.3, 1.0, 0.0]]))


def test_released_ifvd_is_ours_times_the_share_of_labelled_pixels():
    mask = labels((8, 8), FOUR, count=3)
    mask[..., :2] = 255
    student, teacher = networks((8, 8))
    ours, theirs = (
        value(method, student, teacher, mask, FOUR)
        for method in (IFVD(taps="f"), ReleasedIFVD(taps="f", weight=1))
    )
    torch.testing.assert_close(theirs, ours * 6 / 8)


def test_released_ifvd_gives_a_cell_the_label_of_one_pixel():
    mask = torch.zeros(3, 16, 16, dtype=torch.long)
    mask[:, 1::4, 1::4] = 1  # never the pixel that is looked at
    student, teacher = networks((16, 16), sizes=((4, 4), (4, 4)))
    method = ReleasedIFVD(taps="f")
    torch.testing.assert_close(
        value(method, student, teacher, mask, Binary()),
        value(method, student, teacher, torch.zeros_like(mask), Binary()),
    )


def test_emkds_importance_maps_are_attention_to_the_fourth_power():
    student, teacher = networks((6, 4), channels=(5, 5))
    q = [np.square(np.square(f)).mean(axis=1).reshape(3, -1) for f in arrays(student, teacher)]
    q = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in q]
    found = value(AT(taps="f", power=4), student, teacher, torch.zeros(3, 6, 4), FOUR)
    assert found.item() == pytest.approx(((q[0] - q[1]) ** 2).sum(axis=1).mean(), rel=1e-5)
