"""The contract of every supervised loss. A new loss is tested by existing."""

import inspect

import pytest
import torch
from torch.nn import functional as F

from segdistill.core import SegDistillError
from segdistill.losses import BCE, CE, Dice, DiceBCE, DiceCE, Focal, FocalDice, Loss, default
from segdistill.tasks import Binary, Multiclass, Multilabel

TASKS = [Binary(), Multiclass(("background", "kidney", "tumour")), Multilabel(("polyp", "tool"))]
STRUCTURE = ("Structure", "StructureAsReleased", "StructureUACANet")
SOFTMAX_ONLY, SIGMOID_ONLY = {"CE", "DiceCE"}, {"BCE", "DiceBCE", *STRUCTURE}


def fits(name, task):
    return name not in (SIGMOID_ONLY if isinstance(task, Multiclass) else SOFTMAX_ONLY)


PAIRS = [
    pytest.param(cls, task, id=f"{name}-{type(task).__name__}")
    for name, cls in Loss.catalogue.items()
    for task in TASKS
    if fits(name, task)
]
every = pytest.mark.parametrize(("cls", "task"), PAIRS)


def labels(task, spatial=(5, 7), count=3):
    shape = (count, task.channels, *spatial) if isinstance(task, Multilabel) else (count, *spatial)
    return torch.randint(0, task.channels if isinstance(task, Multiclass) else 2, shape)


@every
def test_is_a_finite_scalar_with_a_gradient(cls, task):
    for spatial in ((5, 7), (3, 4, 5)):
        logits = torch.randn(3, task.channels, *spatial, requires_grad=True)
        loss = cls()(logits, labels(task, spatial), task)
        loss.backward()
        assert loss.ndim == 0
        assert loss.isfinite()
        assert logits.grad.abs().sum() > 0


@every
def test_a_perfect_prediction_costs_next_to_nothing(cls, task):
    mask = labels(task)
    assert cls()(task.targets(mask) * 60 - 30, mask, task).item() == pytest.approx(0, abs=1e-4)


@every
def test_is_the_mean_of_any_split_of_the_batch(cls, task):
    logits, mask, loss = torch.randn(4, task.channels, 5, 7), labels(task, count=4), cls()
    halves = (loss(logits[:2], mask[:2], task) + loss(logits[2:], mask[2:], task)) / 2
    torch.testing.assert_close(loss(logits, mask, task), halves)


@every
def test_ignored_pixels_have_no_gradient(cls, task):
    mask = labels(task)
    mask[..., 0, :] = task.ignore_index
    logits = torch.randn(3, task.channels, 5, 7, requires_grad=True)
    cls()(logits, mask, task).backward()
    assert logits.grad[..., 0, :].abs().sum() == 0
    assert logits.grad[..., 1:, :].abs().sum() > 0


@every
def test_an_image_without_a_single_valid_pixel_is_no_nan(cls, task):
    mask = torch.full_like(labels(task), task.ignore_index)
    assert cls()(torch.randn(3, task.channels, 5, 7), mask, task).isfinite()


@every
def test_half_precision_logits_are_computed_in_float32(cls, task):
    logits, mask = torch.randn(3, task.channels, 5, 7).bfloat16(), labels(task)
    loss = cls()(logits, mask, task)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, cls()(logits.float(), mask, task))


@pytest.mark.parametrize("cls", Loss.catalogue.values(), ids=Loss.catalogue)
def test_every_option_is_documented(cls):
    for name in inspect.signature(cls).parameters:
        assert f"{name}:" in inspect.getdoc(cls)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_dice_without_smooth_is_no_nan_where_everything_is_ignored(task):
    logits = torch.zeros(3, task.channels, 5, 7, requires_grad=True)
    loss = Dice(smooth=0)(logits, torch.full_like(labels(task), task.ignore_index), task)
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


def test_bce_and_ce_are_torchs_where_nothing_is_ignored():
    logits, mask = torch.randn(2, 1, 5, 7), torch.randint(0, 2, (2, 5, 7))
    expected = F.binary_cross_entropy_with_logits(logits[:, 0], mask.float())
    torch.testing.assert_close(BCE()(logits, mask, Binary()), expected)
    logits, mask = torch.randn(2, 3, 5, 7), torch.randint(0, 3, (2, 5, 7))
    torch.testing.assert_close(CE()(logits, mask, TASKS[1]), F.cross_entropy(logits, mask))


def test_dice_is_the_textbooks():
    logits, mask = torch.randn(1, 1, 5, 7), torch.randint(0, 2, (1, 5, 7))
    p = logits.sigmoid()
    expected = 1 - (2 * (p[:, 0] * mask).sum() + 1) / (p.sum() + mask.sum() + 1)
    torch.testing.assert_close(Dice()(logits, mask, Binary()), expected)


def test_the_background_of_a_multiclass_task_does_not_count_in_dice():
    mask = torch.zeros(1, 4, 4, dtype=torch.long)
    logits = torch.full((1, 3, 4, 4), -30.0)
    logits[:, 0] = 30
    assert Dice()(logits, mask, TASKS[1]).item() == pytest.approx(0, abs=1e-4)


def test_focal_without_focus_is_cross_entropy():
    for task, plain in ((Binary(), BCE()), (TASKS[1], CE())):
        logits, mask = torch.randn(2, task.channels, 5, 7), labels(task, count=2)
        torch.testing.assert_close(Focal(gamma=0)(logits, mask, task), plain(logits, mask, task))


def test_sums_are_sums():
    logits, mask = torch.randn(2, 1, 5, 7), torch.randint(0, 2, (2, 5, 7))
    parts = Dice()(logits, mask, Binary()) + BCE()(logits, mask, Binary())
    torch.testing.assert_close(DiceBCE()(logits, mask, Binary()), parts)
    parts = Dice()(logits, mask, Binary()) + Focal()(logits, mask, Binary())
    torch.testing.assert_close(FocalDice()(logits, mask, Binary()), parts)


def test_the_default_fits_the_task():
    assert [type(default(task)) for task in TASKS] == [DiceBCE, DiceCE, DiceBCE]


@pytest.mark.parametrize(("cls", "task"), [(BCE, TASKS[1]), (CE, TASKS[0])])
def test_a_loss_for_another_task_names_the_right_one(cls, task):
    with pytest.raises(SegDistillError, match=f"{cls.__name__} needs a .* take"):
        cls()(torch.randn(3, task.channels, 5, 7), labels(task), task)


def test_a_negative_gamma_is_refused():
    with pytest.raises(SegDistillError, match="gamma of at least 0, got -1"):
        Focal(gamma=-1)
