"""The memory terms of CIRKD: what is remembered, and what is compared with it."""

import copy

import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.data import Data
from segdistill.engine import Training, distill
from segdistill.engine.logs import Silence
from segdistill.methods import CIRKDMemory, cirkd_memory
from segdistill.methods.parts import bank
from segdistill.tasks import Binary, Multiclass, Multilabel
from stops import StopAt, assert_same, state
from toys import Discs, tiny_net

TASK = Multiclass(("a", "b", "c"))


def outputs(size=(8, 8), task=TASK, width=(4, 6), count=2, scale=1):
    student = Output(torch.zeros(count, task.channels, *size), {})
    small = [n // scale for n in size]
    student.features["f"] = torch.randn(count, width[0], *small, requires_grad=True)
    return student, Output(
        torch.zeros(count, task.channels, *size), {"f": torch.randn(count, width[1], *small)}
    )


def built(student, teacher, task=TASK, **options):
    method = CIRKDMemory("f", **options)
    method.build(student, teacher, task)
    return method


def vectors(method, kind, of):
    ring = method.banks["f"][kind]
    return ring.vectors[of, : ring.filled[of]]


def contains(rows, row):
    return bool((rows - row).abs().amax(dim=1).lt(1e-6).any())


def test_pixels_enter_the_memory_of_their_own_class():
    student, teacher = outputs()
    mask = torch.randint(0, 3, (2, 8, 8))
    mask[0, :4] = 255
    method = built(student, teacher)
    method(student, teacher, mask)
    unit = torch.nn.functional.normalize(teacher["f"])
    for kind in range(3):
        own = unit.movedim(1, -1)[mask == kind]
        found = vectors(method, "pixels", kind)
        assert len(found) == sum(min(16, int((image == kind).sum())) for image in mask)
        assert all(contains(own, row) for row in found)
        assert len(found.unique(dim=0)) == len(found)


def test_a_region_is_the_mean_direction_of_a_class_in_an_image():
    student, teacher = outputs()
    mask = torch.zeros(2, 8, 8, dtype=torch.long)
    mask[1, :3] = 2
    mask[1, 3] = 255
    method = built(student, teacher)
    method(student, teacher, mask)
    unit = torch.nn.functional.normalize(teacher["f"]).double()
    expected = [unit[0].mean(dim=(1, 2)), unit[1][:, 4:].mean(dim=(1, 2))]
    for row, mean in zip(vectors(method, "regions", 0), expected, strict=True):
        torch.testing.assert_close(row, (mean / mean.norm()).float())
    (lesion,) = vectors(method, "regions", 2)
    mean = unit[1][:, :3].mean(dim=(1, 2))
    torch.testing.assert_close(lesion, (mean / mean.norm()).float())
    assert len(vectors(method, "regions", 1)) == 0


def test_what_is_smaller_than_a_cell_is_remembered():
    student, teacher = outputs(size=(32, 32), scale=8)
    mask = torch.zeros(2, 32, 32, dtype=torch.long)
    mask[0, 9, 9] = 1
    method = built(student, teacher)
    method(student, teacher, mask)
    (found,) = vectors(method, "pixels", 1)
    torch.testing.assert_close(found, torch.nn.functional.normalize(teacher["f"])[0, :, 1, 1])


def test_cells_enter_the_more_likely_the_more_of_them_a_class_covers():
    pixels, share = torch.arange(64.0).view(1, 64, 1), torch.full((1, 1, 64), 0.01)
    share[..., :16] = 1
    found, _ = cirkd_memory._pixels(pixels, share)
    assert len(found) == 16
    assert (found < 16).sum() >= 13


@pytest.mark.parametrize(
    ("task", "mask", "classes"),
    [
        (Binary(), torch.tensor([[[0, 0, 1, 255]]]), [2, 1]),
        (TASK, torch.tensor([[[0, 0, 2, 255]]]), [2, 0, 1]),
        (Multilabel(("a", "b")), torch.tensor([[[[0, 1, 1, 255]], [[0, 0, 1, 0]]]]), [1, 2, 1]),
    ],
    ids=["binary", "multiclass", "multilabel"],
)
def test_every_task_knows_its_classes_and_its_background(task, mask, classes):
    student, teacher = outputs(size=(1, 4), task=task, count=1)
    method = built(student, teacher, task)
    method(student, teacher, mask)
    assert method.banks["f"]["pixels"].filled.tolist() == classes
    assert method.banks["f"]["regions"].filled.tolist() == [min(1, n) for n in classes]


def projected(method, x):
    w0, _, _, w3 = method.adapters["f"]
    x = np.einsum(
        "oc,bchw->bohw", w0.weight.detach().double().numpy()[..., 0, 0], x.detach().double().numpy()
    )
    mean, variance = x.mean(axis=(0, 2, 3), keepdims=True), x.var(axis=(0, 2, 3), keepdims=True)
    x = np.maximum((x - mean) / np.sqrt(variance + 1e-5), 0)
    return np.einsum("oc,bchw->bohw", w3.weight.detach().double().numpy()[..., 0, 0], x)


def plain(method, vectors, student, teacher, mask):
    """Loops over labelled pixels, in float64."""
    mine, v, total = projected(method, student["f"]), vectors.double().numpy(), []
    for x, y, labels in zip(mine, teacher["f"].double().numpy(), mask, strict=True):
        for i, j in (labels != 255).nonzero().tolist():
            logs = []
            for pixel in (x[:, i, j], y[:, i, j]):
                z = v @ pixel / np.linalg.norm(pixel) / 0.1
                logs.append(z - z.max() - np.log(np.exp(z - z.max()).sum()))
            total.append((np.exp(logs[1]) * (logs[1] - logs[0])).sum())
    return np.mean(total)


def test_labelled_pixels_are_compared_with_what_is_remembered():
    student, teacher = outputs()
    mask = torch.randint(0, 3, (2, 8, 8))
    mask[:, :2] = 255
    method = built(student, teacher, weight=1)
    value = method(student, teacher, mask)["CIRKDMemory/f"]
    # Fewer are remembered than a step draws, so that all were drawn.
    memories = [torch.cat([vectors(method, kind, n) for n in range(3)]) for kind in ("pixels", "regions")]
    assert value.item() == pytest.approx(
        sum(plain(method, m, student, teacher, mask) for m in memories), rel=2e-5
    )


def test_draws_are_shared_among_the_classes():
    student, teacher = outputs()
    method = built(student, teacher, pixel_draws=6, region_draws=1)
    method(student, teacher, torch.randint(0, 3, (2, 8, 8)))
    seen = []
    method.compare_with = lambda vectors, *rest: seen.append(len(vectors)) or rest[0].sum()
    method.eval()(student, teacher, torch.zeros(2, 8, 8))
    assert seen == [9, 3]  # three of each class, one of each class


def test_nothing_is_remembered_in_evaluation_and_an_empty_memory_costs_nothing():
    student, teacher = outputs()
    method = built(student, teacher).eval()
    value = method(student, teacher, torch.zeros(2, 8, 8))["CIRKDMemory/f"]
    assert value.item() == 0
    assert value.requires_grad
    assert method.banks["f"]["pixels"].seen.sum() == 0


def test_a_batch_without_labels_gives_zero_with_a_graph():
    student, teacher = outputs()
    method = built(student, teacher)
    method(student, teacher, torch.zeros(2, 8, 8, dtype=torch.long))
    value = method(student, teacher, torch.full((2, 8, 8), 255))["CIRKDMemory/f"]
    value.backward()
    assert value.item() == 0
    assert student["f"].grad.abs().sum() == 0


def test_the_memory_is_saved_and_resumed_to_the_bit():
    student, teacher = outputs()
    mask = torch.randint(0, 3, (2, 8, 8))
    method, twin = built(student, teacher), built(student, teacher)
    method(student, teacher, mask)
    twin.load_state_dict(copy.deepcopy(method.state_dict()))
    after = []
    for each in (method, twin):
        torch.manual_seed(5)
        after.append(each(student, teacher, mask)["CIRKDMemory/f"])
    assert torch.equal(*after)
    assert all(torch.equal(a, b) for a, b in zip(method.buffers(), twin.buffers(), strict=True))


def test_two_taps_have_memories_of_their_own():
    student, teacher = outputs()
    student.features["g"], teacher.features["g"] = (
        torch.randn(2, 3, 4, 4, requires_grad=True),
        torch.randn(2, 5, 4, 4),
    )
    method = CIRKDMemory(["f", "g"], pixels=7, regions=3)
    method.build(student, teacher, TASK)
    losses = method(student, teacher, torch.zeros(2, 8, 8, dtype=torch.long))
    assert set(losses) == {"CIRKDMemory/f", "CIRKDMemory/g"}
    assert method.banks["f"]["pixels"].vectors.shape == (3, 7, 6)
    assert method.banks["g"]["regions"].vectors.shape == (3, 3, 5)


def test_a_memory_larger_than_what_is_free_is_refused_before_it_is_made(monkeypatch):
    student, teacher = outputs()
    monkeypatch.setattr(bank, "free_memory", lambda device: 10**9)
    message = (
        r"memory of 3 classes x \(20000000 pixels \+ 200 regions\) x 6 channels needs 1\.4 GB, "
        r"but 1\.0 GB are free on cpu: lower pixels or regions"
    )
    with pytest.raises(SegDistillError, match=message):
        built(student, teacher, pixels=20_000_000)


def test_a_memory_that_no_machine_has_is_refused():
    student, teacher = outputs()
    with pytest.raises(SegDistillError, match="needs 72,000,014.4 GB, but .* GB are free"):
        built(student, teacher, pixels=10**15, regions=200_000_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "CIRKDMemory needs a positive temperature, got 0"),
        ({"pixels": 0}, "CIRKDMemory needs pixels of at least 1, got 0"),
        ({"region_draws": -1}, "CIRKDMemory needs region_draws of at least 1, got -1"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        CIRKDMemory(**options)


def test_a_resumed_training_remembers_to_the_bit(tmp_path):
    def go(name, display=None, *, resume=False):
        return distill(
            tiny_net(width=6, seed=1),
            tiny_net(seed=2),
            Data(Discs(8), Discs(2, seed=1)),
            CIRKDMemory("body", pixels=40, regions=5),
            out=tmp_path / name,
            training=Training(epochs=2, batch_size=4, precision="32", workers=0),
            display=display or Silence(),
            resume=resume,
        )

    whole = go("whole")
    with pytest.raises(KeyboardInterrupt, match="Go on with --resume"):
        go("parts", StopAt(1, 1))
    assert_same(state(whole), state(go("parts", resume=True)))
