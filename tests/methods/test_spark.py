"""SPARK against its formula in plain loops."""

import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import SPARK
from segdistill.methods.parts.hcl import hierarchical_mse
from segdistill.methods.spark import augment
from segdistill.tasks import Binary

MASK = torch.zeros(2, 16, 16)


def output(channels=(3, 5), sizes=((8, 8), (4, 4)), *, seed=0):
    g = torch.Generator().manual_seed(seed)
    low, high = (
        torch.randn(2, count, *size, generator=g) for count, size in zip(channels, sizes, strict=True)
    )
    return Output(torch.randn(2, 1, 16, 16, generator=g), {"low": low, "high": high})


def built(student, teacher, **options):
    method = SPARK(**options)
    torch.manual_seed(0)  # of the projections
    method.build(student, teacher, Binary())
    return method


def plain_augmented(feature):
    x = feature.double().numpy()
    for image in x:
        energy = np.mean(image**2, axis=0)
        image *= energy / np.sqrt(np.mean(energy**2))
    return x


def pooled(x, cells):
    step = [n // cells for n in x.shape[2:]]
    return x.reshape(*x.shape[:2], cells, step[0], cells, step[1]).mean(axis=(3, 5))


def plain_pair(student, teacher, weight):
    """An augmented pair after the projection, at the smaller size."""
    s = np.einsum("oi,nihw->nohw", weight.double().numpy()[:, :, 0, 0], plain_augmented(student))
    t, cells = plain_augmented(teacher), min(student.shape[2], teacher.shape[2])
    s, t = pooled(s, cells), pooled(t, cells)
    scales = [(1.0, s, t)]
    scales += [
        (0.5**n, pooled(s, c), pooled(t, c)) for n, c in enumerate([c for c in (4, 2, 1) if c < cells], 1)
    ]
    return sum(w * np.mean((a - b) ** 2) for w, a, b in scales) / sum(w for w, _, _ in scales)


def test_is_the_weighted_distance_of_four_crossed_pairs():
    student, teacher = output(), output((4, 6), seed=1)
    method = built(student, teacher)
    found = method(student, teacher, MASK)
    for a, b, factor in (
        ("low", "low", 1.0),
        ("high", "low", 0.6),
        ("high", "high", 1.0),
        ("low", "high", 0.5),
    ):
        weight = method.adapters[f"{a}-{b}"].project.weight.detach()
        expected = factor * plain_pair(student[a].clone(), teacher[b].clone(), weight)
        assert found[f"SPARK/{a}-{b}"].item() == pytest.approx(expected, rel=1e-5)


def test_the_augmentation_has_a_mean_square_of_one_whatever_the_resolution():
    feature = torch.randn(2, 3, 6, 5)
    ratio = (augment(feature) / feature).square()[:, 0].mean(dim=(1, 2))
    torch.testing.assert_close(ratio, torch.ones(2))
    finer = feature.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    torch.testing.assert_close(
        augment(finer), augment(feature).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    )


def test_a_dead_feature_has_a_gradient_of_zero():
    feature = torch.zeros(1, 3, 4, 4, requires_grad=True)
    augment(feature).sum().backward()
    assert torch.equal(feature.grad, torch.zeros_like(feature))


def test_a_published_weight_converts_by_the_positions_of_the_teacher():
    student, teacher = output(), output(seed=1)
    method = built(student, teacher)

    def as_released(feature):
        energy = feature.square().mean(dim=1).flatten(1)
        return 20 * (energy / energy.norm(dim=1, keepdim=True)).view(2, 1, *feature.shape[2:]) * feature

    for level in ("low", "high"):
        theirs = hierarchical_mse(as_released(student[level]), as_released(teacher[level]))
        ours = method(student, teacher, MASK)[f"SPARK/{level}-{level}"]
        torch.testing.assert_close(theirs, ours * 400 / teacher[level][0, 0].numel())


def test_like_levels_of_equal_networks_have_no_distance_but_crossed_ones_do():
    teacher = output()
    losses = built(teacher, teacher)(teacher, teacher, MASK)
    assert losses["SPARK/low-low"] == losses["SPARK/high-high"] == 0
    assert min(losses["SPARK/high-low"], losses["SPARK/low-high"]) > 0


def test_a_finer_image_has_the_same_value():
    sizes = ((16, 16), (8, 8))  # both finer than the coarse scales of the distance, before and after
    student, teacher = output(sizes=sizes), output((4, 6), sizes, seed=1)
    method = built(student, teacher, factors=(1, 0, 1, 0))

    def finer(x):
        return Output(
            x.logits, {n: f.repeat_interleave(2, 2).repeat_interleave(2, 3) for n, f in x.features.items()}
        )

    fine = method(finer(student), finer(teacher), MASK)
    for name, value in method(student, teacher, MASK).items():
        torch.testing.assert_close(fine[name], value)


def test_a_pair_with_a_factor_of_zero_is_left_out():
    student, teacher = output(), output((4, 6), seed=1)
    method = built(student, teacher, factors=(1, 0, 1, 0))
    assert set(method(student, teacher, MASK)) == {"SPARK/low-low", "SPARK/high-high"}
    assert set(method.adapters) == {"low-low", "high-high"}


def test_the_levels_of_the_networks_may_have_different_names():
    student, teacher = output(), output(seed=1)
    theirs = Output(teacher.logits, {"a.b": teacher["low"], "c": teacher["high"]})
    method = built(student, theirs, low={"low": "a.b"}, high={"high": "c"})
    assert method.teacher_taps == ("a.b", "c")
    same = built(student, teacher)
    for name, value in same(student, teacher, MASK).items():
        torch.testing.assert_close(method(student, theirs, MASK)[name], value)


def test_volumes_work_and_do_not_meet_slices():
    sizes = ((4, 8, 8), (2, 4, 4))
    student, teacher = output(sizes=sizes), output((4, 6), sizes, seed=1)
    assert sum(built(student, teacher)(student, teacher, MASK).values()).isfinite()
    with pytest.raises(SegDistillError, match="one has 2 spatial dimensions, the other 3"):
        built(output(), teacher)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factors": (1, 1)}, r"SPARK needs 4 factors, one per pair, got \[1, 1\]"),
        ({"factors": (1, -1, 1, 1)}, "SPARK needs high-low of at least 0, got -1"),
        ({"factors": (0, 0, 0, 0)}, "SPARK has nothing left"),
        ({"low": {"a": "b", "c": "d"}}, r"SPARK needs one tap as its low level, got \['a', 'c'\]"),
        ({"high": {}}, "SPARK needs at least 1 tap here"),
        ({"weight": float("nan")}, "SPARK needs a finite number as weight, got nan"),
    ],
)
def test_impossible_arguments_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        SPARK(**options)
