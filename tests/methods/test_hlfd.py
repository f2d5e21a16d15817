"""HLFD and its relatives against their formulas in double precision."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError
from segdistill.methods import (
    HLFD,
    AttentionKD,
    HLFDConcatenated,
    HLFDDeep,
    HLFDIndividual,
    HLFDWithoutFeedback,
    Method,
)
from segdistill.methods.parts.hlfd_terms import attention_distance, direction_distance
from segdistill.tasks import Binary, Multiclass, Multilabel

FAMILY = [AttentionKD, HLFDConcatenated, HLFDDeep, HLFDIndividual, HLFDWithoutFeedback, HLFD]
MASK = torch.zeros(2, 16, 16)
TASK = Multiclass(("a", "b", "c"))
STRIDES = {"e1": 1, "e2": 2, "e3": 4, "e4": 4, "e5": 8, "d5": 4, "d4": 4, "d3": 2, "d2": 1}


def output(width=4, *, task=TASK, size=(16, 16), seed=0):
    g = torch.Generator().manual_seed(seed)
    maps = {
        name: torch.randn(2, width + n, *(k // stride for k in size), generator=g)
        for n, (name, stride) in enumerate(STRIDES.items())
    }
    return Output(2 * torch.randn(2, task.channels, *size, generator=g), maps)


def built(method, student, teacher, task=TASK):
    method.build(student, teacher, task)
    return method


def energy(x):
    q = np.mean(np.asarray(x.detach(), dtype=np.float64) ** 4, axis=1).reshape(len(x), -1)
    return q / np.linalg.norm(q, axis=1, keepdims=True)


def plain_attention(student, teacher):
    size = [min(a, b) for a, b in zip(student.shape[2:], teacher.shape[2:], strict=True)]
    s, t = (F.adaptive_avg_pool2d(x, size) for x in (student, teacher))
    return np.mean(np.sum((energy(s) - energy(t)) ** 2, axis=1))


def plain_kl(student, teacher, temperature=4.0):
    s, t = (np.asarray(x.detach(), dtype=np.float64) / temperature for x in (student, teacher))
    s, t = (x - np.log(np.exp(x).sum(axis=1, keepdims=True)) for x in (s, t))
    return np.mean(np.sum(np.exp(t) * (t - s), axis=1)) * temperature**2


def projected(method, term, x):
    """What the term's trained projection makes of a map, in plain arithmetic."""
    weight = method.terms[term].project.project.weight[:, :, 0, 0]
    return torch.einsum("oi,nihw->nohw", weight, x)


def enlarged(x, size=(16, 16)):
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def joined(output, names, size):
    return torch.cat([F.adaptive_avg_pool2d(output[name], size) for name in names], dim=1)


def plain_directions(a, b):
    a, b = (np.asarray(x.detach(), dtype=np.float64) for x in (a, b))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return np.mean(np.sum((a - b) ** 2, axis=1))


def compare(method, student, teacher, expected):
    name = type(method).__name__
    found = method(student, teacher, MASK)
    assert set(found) == {f"{name}/{term}" for term in expected}
    for term, value in expected.items():
        assert found[f"{name}/{term}"].item() == pytest.approx(value, rel=1e-5), term


@pytest.fixture
def pair():
    return output(4), output(6, seed=1)


def test_attention_kd_compares_unit_maps_of_the_fourth_power(pair):
    student, teacher = pair
    compare(built(AttentionKD(), *pair), *pair, {"e5": plain_attention(student["e5"], teacher["e5"])})


def test_without_feedback_logits_and_the_deepest_feature_meet_their_like(pair):
    student, teacher = pair
    compare(
        built(HLFDWithoutFeedback(), *pair),
        *pair,
        {
            "pixel/logits": 0.1 * plain_kl(student.logits, teacher.logits),
            "feature/e5": 0.9 * plain_attention(student["e5"], teacher["e5"]),
        },
    )


def test_deep_compares_every_level_with_its_like(pair):
    student, teacher = pair
    method = built(HLFDDeep(), *pair)
    expected = {"pixel/logits": 0.1 * plain_kl(student.logits, teacher.logits)}
    for tap in ("d5", "d4", "d3", "d2"):
        ours = projected(method, f"pixel/{tap}", student[tap])
        expected[f"pixel/{tap}"] = 0.1 * plain_directions(ours, teacher[tap])
    for tap in ("e1", "e2", "e3", "e4", "e5"):
        expected[f"feature/{tap}"] = 0.9 * plain_attention(student[tap], teacher[tap])
    compare(method, *pair, expected)


def test_individual_sends_the_teachers_last_layer_to_middle_layers(pair):
    student, teacher = pair
    method = built(HLFDIndividual(), *pair)
    expected = {"pixel/logits": 0.1 * plain_kl(student.logits, teacher.logits)}
    for tap in ("d4", "d2"):
        logits = enlarged(projected(method, f"pixel/{tap}", student[tap]))
        expected[f"pixel/{tap}"] = 0.1 * plain_kl(logits, teacher.logits)
    for tap in ("e2", "e4", "e5"):
        expected[f"feature/{tap}"] = 0.9 * plain_attention(student[tap], teacher["e5"])
    compare(method, *pair, expected)


def test_concatenated_sends_it_to_all_middle_layers_as_one(pair):
    student, teacher = pair
    method = built(HLFDConcatenated(), *pair)
    decoder = joined(student, ("d5", "d4", "d3", "d2"), (4, 4))
    encoder = joined(student, ("e1", "e2", "e3", "e4"), (4, 4))
    logits = enlarged(projected(method, "pixel/unified", decoder))
    compare(
        method,
        *pair,
        {
            "pixel/logits": 0.1 * plain_kl(student.logits, teacher.logits),
            "pixel/unified": 0.1 * plain_kl(logits, teacher.logits),
            "feature/e5": 0.9 * plain_attention(student["e5"], teacher["e5"]),
            "feature/unified": 0.9 * plain_attention(encoder, teacher["e5"]),
        },
    )


def test_hlfd_sends_middle_layers_to_the_first_and_the_last_to_middle_ones(pair):
    student, teacher = pair
    method = built(HLFD(unified=0.4, individual=0.3), *pair)
    deep = joined(teacher, ("d5", "d4", "d3"), (4, 4))
    middle = joined(teacher, ("e2", "e3", "e4"), (4, 4))
    expected = {
        "pixel/d5": 0.1 * 0.4 * plain_directions(projected(method, "pixel/d5", student["d5"]), deep),
        "feature/e1": 0.9 * 0.4 * plain_attention(student["e1"], middle),
    }
    for tap in ("d4", "d3", "d2"):
        logits = enlarged(projected(method, f"pixel/{tap}", student[tap]))
        expected[f"pixel/{tap}"] = 0.1 * 0.3 * plain_kl(logits, teacher.logits)
    for tap in ("e2", "e3", "e4"):
        expected[f"feature/{tap}"] = 0.9 * 0.3 * plain_attention(student[tap], teacher["e5"])
    compare(method, *pair, expected)


def test_hlfd_reads_only_what_it_compares():
    method = HLFD()
    assert set(method.student_taps) == {"d5", "d4", "d3", "d2", "e1", "e2", "e3", "e4"}
    assert set(method.teacher_taps) == {"d5", "d4", "d3", "logits", "e2", "e3", "e4", "e5"}


def test_one_sigmoid_channel_is_two_classes(pair):
    student, teacher = (output(task=Binary(), seed=seed) for seed in (0, 1))
    found = built(HLFDWithoutFeedback(), student, teacher, Binary())(student, teacher, MASK)
    two = [torch.cat([torch.zeros_like(o.logits), o.logits], dim=1) for o in (student, teacher)]
    assert found["HLFDWithoutFeedback/pixel/logits"].item() == pytest.approx(0.1 * plain_kl(*two), rel=1e-5)


@pytest.mark.parametrize("task", [Binary(), Multilabel(("a", "b"))], ids=["binary", "multilabel"])
@pytest.mark.parametrize("cls", FAMILY)
def test_projections_onto_classes_have_the_tasks_channels(cls, task):
    student, teacher = output(4, task=task), output(6, task=task, seed=1)
    assert all(x.isfinite() for x in built(cls(), student, teacher, task)(student, teacher, MASK).values())


def test_equal_logits_cost_nothing_without_any_projection():
    same = output()
    method = built(HLFDIndividual(), same, same)
    assert method(same, same, MASK)["HLFDIndividual/pixel/logits"].item() == pytest.approx(0, abs=1e-6)
    assert not list(method.term("pixel/logits").parameters())


def test_dead_features_have_finite_gradients():
    for distance in (attention_distance, direction_distance):
        dead = torch.zeros(1, 3, 4, 4, requires_grad=True)
        distance(dead, torch.randn(1, 3, 4, 4)).backward()
        assert dead.grad.abs().max() < 1e3


def test_a_level_in_both_halves_is_not_lost():
    method = HLFDDeep(encoder="e3", decoder="e3")
    assert set(method.factors) == {"pixel/logits", "pixel/e3", "feature/e3"}


def test_a_factor_of_zero_leaves_terms_and_taps_out():
    method = HLFDWithoutFeedback(pixel=0)
    assert set(method.factors) == {"feature/e5"}
    assert set(HLFD(unified=0).factors) == {f"pixel/{d}" for d in ("d4", "d3", "d2")} | {
        f"feature/{e}" for e in ("e2", "e3", "e4")
    }


def test_levels_may_have_other_names_in_the_teacher(pair):
    student, teacher = pair
    theirs = Output(teacher.logits, {f"net.{name}": x for name, x in teacher.features.items()})
    levels = {
        "encoder": {e: f"net.{e}" for e in ("e2", "e4", "e5")},
        "decoder": {"d4": "net.d4"},
    }
    names = HLFDDeep(**levels)
    torch.manual_seed(0)
    found = built(names, student, theirs)(student, theirs, MASK)
    torch.manual_seed(0)
    same = built(HLFDDeep(encoder=("e2", "e4", "e5"), decoder="d4"), *pair)(*pair, MASK)
    assert found.keys() == same.keys()
    torch.testing.assert_close(sum(found.values()), sum(same.values()))


def test_a_missing_level_is_named(pair):
    student, teacher = pair
    del student.features["e1"]
    with pytest.raises(SegDistillError, match="Unknown tap 'e1'. Known: d2, d3, d4, d5, e2, e3"):
        built(HLFD(), student, teacher)


def test_volumes_do_not_meet_slices(pair):
    volume = output(size=(8, 16, 16))
    with pytest.raises(SegDistillError, match="HLFD cannot compare tap 'd5' .* the other 3"):
        built(HLFD(), pair[0], volume)


def test_a_teacher_of_other_classes_is_refused(pair):
    other = output(task=Multiclass(("a", "b")))
    with pytest.raises(SegDistillError, match="3 classes and the teacher 2"):
        built(HLFDWithoutFeedback(), pair[0], other)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HLFD(pixel=-1), "HLFD needs pixel of at least 0, got -1"),
        (lambda: HLFD(pixel=0, feature=0), "HLFD has nothing left: pixel, feature are all 0"),
        (lambda: HLFD(unified=0, individual=0), "HLFD has nothing left: unified, individual"),
        (lambda: HLFD(temperature=0), "HLFD needs a positive temperature, got 0"),
        (lambda: HLFD(encoder=("e4", "e5")), r"HLFD needs at least 3 taps here, got \['e4', 'e5'\]"),
        (lambda: HLFD(decoder="d5"), "HLFD needs at least 2 taps here"),
        (lambda: HLFDConcatenated(encoder="e5"), "HLFDConcatenated needs at least 2 taps here"),
        (lambda: HLFDDeep(decoder=[]), "HLFDDeep needs at least 1 tap here"),
    ],
)
def test_impossible_arguments_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()


def test_the_whole_family_is_in_the_catalogue():
    assert {cls.__name__ for cls in FAMILY} <= set(Method.catalogue)
