import numpy as np
import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import CWD
from segdistill.methods.released.channel_mean import ChannelMean
from segdistill.tasks import Binary, Multiclass, Multilabel


def by_formula(student, teacher, temperature):
    """Channel by channel, in double precision."""
    channels = [
        x.detach().double().flatten(2).flatten(0, 1).numpy() / temperature for x in (student, teacher)
    ]
    values = []
    for s, t in zip(*channels, strict=True):
        p, q = np.exp(s) / np.exp(s).sum(), np.exp(t) / np.exp(t).sum()
        values.append((q * np.log(q / p)).sum())
    return torch.tensor(temperature**2 * np.mean(values), dtype=torch.float32)


def on_logits(student, teacher, task, method):
    method.build(Output(student), Output(teacher), task)
    mask = torch.zeros(len(student), *student.shape[2:])
    return method(Output(student), Output(teacher), mask)["CWD/logits"]


def with_feature(feature, size=(12, 8)):
    return Output(torch.zeros(len(feature), 1, *size), {"f": feature})


def on_features(student, teacher, method):
    method.build(with_feature(student), with_feature(teacher), Binary())
    return next(iter(method(with_feature(student), with_feature(teacher), torch.zeros(2, 12, 8)).values()))


@pytest.mark.parametrize("spatial", [(12,), (5, 4), (3, 4, 2)])
@pytest.mark.parametrize(
    "task",
    [Binary(), Multiclass(tuple("abc")), Multilabel(tuple("ab"))],
    ids=lambda task: type(task).__name__,
)
def test_equals_the_formula_for_every_task(spatial, task):
    student, teacher = torch.randn(2, task.channels, *spatial), 3 * torch.randn(2, task.channels, *spatial)
    torch.testing.assert_close(
        on_logits(student, teacher, task, CWD(temperature=2)), by_formula(student, teacher, 2.0)
    )


def test_does_not_see_a_constant_added_to_a_channel():
    teacher = torch.randn(2, 3, 5, 4)
    student = teacher + torch.tensor([1.0, -2.0, 5.0]).view(1, 3, 1, 1)
    assert on_logits(student, teacher, Multiclass(tuple("abc")), CWD()).item() == pytest.approx(0, abs=1e-5)


def test_features_of_other_channels_and_size_are_brought_to_the_teachers_channels_and_the_students_size():
    student, teacher = torch.randn(2, 4, 3, 2), torch.randn(2, 7, 6, 4)
    method = CWD("f", temperature=2)
    found = on_features(student, teacher, method)
    weight = method.adapters["f"].project.weight
    projected = torch.einsum("ts,bshw->bthw", weight[:, :, 0, 0], student)
    smaller = teacher.view(2, 7, 3, 2, 2, 2).mean(dim=(3, 5))
    torch.testing.assert_close(found, by_formula(projected, smaller, 2.0))


def test_channels_that_agree_need_no_projection():
    method = CWD("f")
    on_features(torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 2), method)
    assert not list(method.parameters())


def test_a_map_of_one_position_is_refused():
    with pytest.raises(SegDistillError, match=r"CWD compares positions, but tap 'f' leaves only one\."):
        on_features(torch.randn(2, 4, 1, 1), torch.randn(2, 4, 3, 2), CWD("f"))


def test_a_temperature_that_is_not_positive_is_refused():
    with pytest.raises(SegDistillError, match="CWD needs a positive temperature, got -4"):
        CWD(temperature=-4)


def test_the_released_norm_of_means_is_blind_to_places():
    student, teacher = torch.randn(2, 4, 3, 2), torch.randn(2, 4, 3, 2)
    expected = (student - teacher).mean(dim=(2, 3)).square().sum() / 8
    found = on_features(student, teacher, ChannelMean("f"))
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(on_features(student.flip(2), teacher, ChannelMean("f")), found)
