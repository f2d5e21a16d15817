"""Features of volumes and of slices, compared along a curve."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from segdistill.core import Batch, Output, SegDistillError
from segdistill.methods import Hilbert, HilbertActivation
from segdistill.methods.parts.hilbert_curve import hilbert_order
from segdistill.taps import Tapped
from segdistill.tasks import Binary
from segdistill.teachers import Teacher

MASK = torch.zeros(2, 8, 8)


def output(channels, size, *, seed=0):
    g = torch.Generator().manual_seed(seed)
    feature = torch.randn(2, channels, *size, generator=g)
    return Output(torch.randn(2, 1, 8, 8, generator=g), {"high": feature})


def built(student, teacher, cls=Hilbert, **options):
    method = cls(**{"channels": 6, **options})
    method.build(student, teacher, Binary())
    return method


@pytest.fixture
def cross():
    """A student of slices and a teacher of volumes."""
    return output(3, (4, 4)), output(5, (2, 4, 6), seed=1)


def plain_sequence(feature, weight):
    order = hilbert_order(tuple(feature.shape[2:])).numpy()
    flat = feature.detach().double().flatten(2).numpy()
    return np.einsum("oi,nip->nop", weight.detach().double().flatten(1).numpy(), flat)[:, :, order]


def plain_resized(x, length):
    """Linear interpolation with half-pixel centres."""
    at = (np.arange(length) + 0.5) * x.shape[2] / length - 0.5
    return np.stack([[np.interp(at, np.arange(x.shape[2]), row) for row in image] for image in x])


def plain_sequences(method, student, teacher):
    s = plain_sequence(student["high"], method.adapters["high"].project.weight)
    t = plain_resized(plain_sequence(teacher["high"], method.isometries["high"].project.weight), s.shape[2])
    return (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (s, t))


def smooth(x):
    return np.where(np.abs(x) < 1, x**2 / 2, np.abs(x) - 0.5)


def test_a_slice_and_a_volume_meet_along_the_curve(cross):
    method = built(*cross)
    s, t = plain_sequences(method, *cross)
    found = method(*cross, MASK)["Hilbert/high"]
    assert found.item() == pytest.approx(np.mean(smooth(s - t)), rel=1e-5)


def test_the_activation_weighs_the_positions_of_the_walk(cross):
    method = built(*cross, HilbertActivation)
    s, t = plain_sequences(method, *cross)
    teacher = cross[1]["high"].double()
    energy = teacher.pow(4).mean(dim=1, keepdim=True).flatten(2)[:, :, hilbert_order((2, 4, 6))].numpy()
    density = plain_resized(energy, s.shape[2])
    density /= density.sum(axis=2, keepdims=True)
    expected = np.mean(np.sum(density[:, 0] * smooth(s - t).mean(axis=1), axis=1))
    assert method(*cross, MASK)["HilbertActivation/high"].item() == pytest.approx(expected, rel=1e-4)


def test_no_power_makes_the_walk_even(cross):
    torch.manual_seed(0)
    even = built(*cross, HilbertActivation, power=0)(*cross, MASK)["HilbertActivation/high"]
    torch.manual_seed(0)
    torch.testing.assert_close(even, built(*cross)(*cross, MASK)["Hilbert/high"])


def test_features_of_one_size_are_compared_position_by_position():
    student, teacher = output(4, (4, 6)), output(4, (4, 6), seed=1)
    method = built(student, teacher)
    weight = method.adapters["high"].project.weight
    s, t = (F.normalize(F.conv2d(x["high"], weight), dim=1) for x in (student, teacher))
    torch.testing.assert_close(method(student, teacher, MASK)["Hilbert/high"], F.smooth_l1_loss(s, t))


def test_a_student_of_volumes_may_have_a_teacher_of_slices(cross):
    student, teacher = cross[1], cross[0]
    assert built(student, teacher)(student, teacher, MASK)["Hilbert/high"] > 0


@pytest.mark.parametrize(("channels", "common"), [(5, 6), (6, 6), (5, 3)])
def test_the_teachers_projection_keeps_what_there_is_room_for(channels, common):
    student, teacher = output(4, (4, 4)), output(channels, (2, 4, 4))
    method = built(student, teacher, channels=common)
    weight = method.isometries["high"].project.weight.flatten(1)
    gram = weight @ weight.T if common < channels else weight.T @ weight
    torch.testing.assert_close(gram, torch.eye(len(gram)))
    assert [name for name, p in method.named_parameters() if p.requires_grad] == [
        "adapters.high.project.weight"
    ]


def test_projections_cannot_agree_on_a_constant():
    torch.manual_seed(0)
    student, teacher = output(3, (4, 4)), output(5, (4, 4, 4), seed=1)
    method = built(student, teacher)
    optimizer = torch.optim.Adam([p for p in method.parameters() if p.requires_grad], lr=0.05)
    start = method(student, teacher, MASK)["Hilbert/high"].item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = method(student, teacher, MASK)["Hilbert/high"]
        loss.backward()
        optimizer.step()
    assert start / 4 < loss.item() < start  # noise cannot be foretold from noise


class Volumes(nn.Module):
    """A network of volumes that takes neighbouring slices as channels and answers for the middle one."""

    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Conv3d(1, 5, 3, stride=2, padding=1), nn.Conv3d(5, 1, 1)

    def forward(self, image):
        volume = self.head(self.body(image.unsqueeze(1)))
        return volume[:, :, volume.shape[2] // 2]


def test_both_networks_see_one_batch_of_neighbouring_slices():
    batch = Batch(torch.rand(2, 5, 8, 8), MASK)
    student = Tapped(nn.Sequential(nn.Conv2d(5, 3, 3, padding=1), nn.Conv2d(3, 1, 1)), ["0"])
    teacher = Teacher(Tapped(Volumes(), ["body"]))
    method = Hilbert(taps={"0": "body"}, channels=6)
    mine, theirs = student(batch.image), teacher(batch)
    assert theirs["body"].shape == (2, 5, 3, 4, 4)
    method.build(mine, theirs, Binary())
    method(mine, theirs, MASK)["Hilbert/0"].backward()
    assert student.net[0].weight.grad.abs().sum() > 0


def test_positions_without_any_signal_have_a_finite_gradient(cross):
    student, teacher = cross
    dead = torch.zeros(2, 3, 4, 4, requires_grad=True)
    method = built(student, teacher)
    method(Output(student.logits, {"high": dead}), teacher, MASK)["Hilbert/high"].backward()
    assert dead.grad.abs().max() < 1e3


def test_logits_of_other_classes_are_refused():
    student, teacher = output(3, (4, 4)), output(3, (4, 4))
    teacher = Output(torch.randn(2, 2, 8, 8), teacher.features)
    with pytest.raises(SegDistillError, match="the student has 1 classes and the teacher 2"):
        built(student, teacher, taps="logits")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hilbert(channels=0), "Hilbert needs channels of at least 1, got 0"),
        (lambda: HilbertActivation(power=-1), "HilbertActivation needs power of at least 0, got -1"),
        (lambda: HilbertActivation(channels=-2), "HilbertActivation needs channels of at least 1, got -2"),
    ],
)
def test_impossible_arguments_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()
