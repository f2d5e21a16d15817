"""The channel memory term of CIRKDv2: what is remembered, on which grid, and what is compared."""

import copy

import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import CIRKDChannelMemory, cirkd_channel_memory
from segdistill.methods.parts import bank
from segdistill.tasks import Binary

MASK = torch.zeros(2, 8, 8)


def outputs(size=(4, 3), teacher_size=None, count=2, width=(5, 7)):
    sizes = size, teacher_size or size
    features = [torch.randn(count, c, *n) for c, n in zip(width, sizes, strict=True)]
    features[0].requires_grad_()
    return [Output(torch.zeros(count, 1, 8, 8), {"f": x}) for x in features]


def built(student, teacher, **options):
    method = CIRKDChannelMemory("f", **options)
    method.build(student, teacher, Binary())
    return method


def step(method, student, teacher):
    (value,) = method(student, teacher, MASK).values()
    return value


def maps(x):
    flat = x.detach().double().numpy().reshape(*x.shape[:2], -1)
    return (flat / np.linalg.norm(flat, axis=2, keepdims=True)).reshape(-1, flat.shape[2])


def remembered(method):
    ring = method.banks["f"]
    return ring.vectors[0, : ring.filled[0]].double().numpy()


def rows(x):
    return sorted(map(tuple, np.asarray(x).round(5).tolist()))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_every_channel_is_compared_with_the_channels_of_earlier_images():
    (student, teacher), (_, earlier) = outputs(), outputs()
    method = built(student, earlier, temperature=0.2, weight=3)
    step(method, student, earlier)
    value = step(method, student, teacher)
    memory = np.concatenate([maps(earlier["f"]), maps(teacher["f"])])  # all were drawn: fewer than `draws`
    q = softmax(maps(method.adapters["f"](student["f"])) @ memory.T / 0.2)
    p = softmax(maps(teacher["f"]) @ memory.T / 0.2)
    assert value.item() == pytest.approx(3 * (p * np.log(p / q)).sum(axis=1).mean(), rel=2e-5)


def test_the_oldest_channels_are_forgotten_and_never_the_newest():
    steps = [outputs() for _ in range(5)]
    method = built(*steps[0], channels=20)
    for student, teacher in steps:
        step(method, student, teacher)
        newest = rows(maps(teacher["f"]))
        assert set(newest) <= set(rows(remembered(method)))
    latest = np.concatenate([maps(teacher["f"]) for _, teacher in steps])[-28:]
    assert len(remembered(method)) == 20
    assert set(rows(remembered(method))) <= set(rows(latest))


def test_a_step_remembers_a_part_of_a_large_batch(monkeypatch):
    monkeypatch.setattr(cirkd_channel_memory, "_CHANNELS_PER_STEP", 6)
    student, teacher = outputs()
    method = built(student, teacher)
    step(method, student, teacher)
    found = rows(remembered(method))
    assert len(set(found)) == 6
    assert set(found) <= set(rows(maps(teacher["f"])))


def test_a_step_compares_with_so_many_draws(monkeypatch):
    student, teacher = outputs()
    method, seen = built(student, teacher, draws=4), []
    monkeypatch.setattr(
        cirkd_channel_memory,
        "row_divergence",
        lambda s, columns, *rest, **options: seen.append(columns.shape) or s.sum(),
    )
    step(method, student, teacher)
    assert seen == [(1, 4, 12)]


def test_maps_of_another_size_are_brought_to_the_grid_of_the_first_batch():
    (student, teacher), (larger, fine) = outputs((4, 4)), outputs((8, 8))
    method = built(student, teacher)
    small = [torch.nn.functional.avg_pool2d(x["f"], 2) for x in (larger, fine)]
    reduced = [Output(torch.zeros(2, 1, 8, 8), {"f": x}) for x in small]
    torch.manual_seed(0)
    expected = step(copy.deepcopy(method), *reduced)
    torch.manual_seed(0)
    torch.testing.assert_close(step(method, larger, fine), expected)
    assert method.banks["f"].vectors.shape == (1, 10_000, 16)
    assert step(method, *outputs((2, 3))).isfinite()


def test_cells_make_the_grid_coarser():
    student, teacher = outputs((5, 4), (10, 8))
    assert built(student, teacher, pool=2).banks["f"].vectors.shape[2] == 6


def test_nothing_is_remembered_in_evaluation_and_an_empty_memory_costs_nothing():
    student, teacher = outputs()
    method = built(student, teacher).eval()
    value = step(method, student, teacher)
    value.backward()
    assert value.item() == 0
    assert student["f"].grad.abs().sum() == 0
    assert len(remembered(method)) == 0


def test_channels_without_any_value_give_no_nan():
    student, teacher = outputs()
    teacher["f"][:, :3] = 0
    step(built(student, teacher), student, teacher).backward()
    assert student["f"].grad.isfinite().all()


def test_a_memory_larger_than_what_is_free_is_refused_before_it_is_made(monkeypatch):
    monkeypatch.setattr(bank, "free_memory", lambda device: 10**8)
    message = (
        r"memory of 9000000 channels x 12 positions needs 0\.4 GB, but 0\.1 GB are free on cpu: "
        r"lower channels, or raise pool\."
    )
    with pytest.raises(SegDistillError, match=message):
        built(*outputs(), channels=9_000_000)


def test_a_map_that_leaves_one_position_is_refused():
    with pytest.raises(SegDistillError, match="compares positions, but tap 'f' leaves only one"):
        built(*outputs(), pool=4)


@pytest.mark.parametrize("name", ["channels", "draws", "pool"])
def test_impossible_numbers_are_refused(name):
    with pytest.raises(SegDistillError, match=f"CIRKDChannelMemory needs {name} of at least 1, got 0"):
        CIRKDChannelMemory(**{name: 0})
