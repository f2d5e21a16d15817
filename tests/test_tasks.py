import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.core import SegDistillError
from segdistill.tasks import TASKS, Binary, Multiclass, Multilabel, from_plain, to_plain

ALL = [Binary(), Multiclass(("background", "kidney", "tumour")), Multilabel(("polyp", "tool"))]
every = pytest.mark.parametrize("task", ALL, ids=lambda t: type(t).__name__)


def mask_of(task, *, ignored=False):
    shape = (2, task.channels, 4, 6) if isinstance(task, Multilabel) else (2, 4, 6)
    highest = 2 if not isinstance(task, Multiclass) else task.channels
    mask = torch.randint(0, highest, shape, dtype=torch.uint8)
    if ignored:
        mask[..., 0, 0] = task.ignore_index
    return mask


@every
@settings(max_examples=20, deadline=None)
@given(temperature=st.floats(0.1, 20), scale=st.floats(0.01, 50))
def test_every_variable_is_a_distribution(task, temperature, scale):
    log_probs = task.log_probs(torch.randn(2, task.channels, 4, 6) * scale, temperature)
    assert log_probs.shape[0] == 2
    assert log_probs.shape[3:] == (4, 6)
    torch.testing.assert_close(log_probs.exp().sum(dim=1), torch.ones_like(log_probs[:, 0]))


@every
def test_log_probabilities_lead_back_to_the_same_probabilities(task):
    logits = torch.randn(2, task.channels, 4, 6)
    back = task.logits(task.log_probs(logits))
    torch.testing.assert_close(task.probabilities(back), task.probabilities(logits))


@every
def test_probabilities_agree_with_the_distribution(task):
    logits = torch.randn(2, task.channels, 4, 6)
    p, distribution = task.probabilities(logits), task.log_probs(logits).exp()
    torch.testing.assert_close(
        p, distribution[:, :, 0] if isinstance(task, Multiclass) else distribution[:, 1]
    )


@every
def test_confident_logits_of_the_targets_decode_to_the_mask(task):
    mask = mask_of(task)
    assert torch.equal(task.decode(task.targets(mask) * 20 - 10), mask)


@every
def test_ignored_pixels_are_neither_valid_nor_targets(task):
    mask = mask_of(task, ignored=True)
    assert not task.valid(mask)[..., 0, 0].any()
    assert task.valid(mask).sum() == 2 * 23
    assert not task.targets(mask)[..., 0, 0].any()


@every
def test_a_task_survives_being_written_down(task):
    assert from_plain(to_plain(task)) == task


def test_every_task_is_in_the_table():
    assert {type(task).__name__ for task in ALL} == set(TASKS)


def test_extreme_logits_keep_finite_log_probabilities():
    for task in ALL:
        assert task.log_probs(torch.full((1, task.channels, 2, 2), 80.0)).isfinite().all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Binary(("polyp",)), "exactly 2 class names"),
        (lambda: Multiclass(("polyp",)), "at least 2 class names"),
        (lambda: Multilabel(()), "at least 1 class names"),
        (lambda: Multiclass(("a", "a")), "class name twice"),
        (lambda: from_plain({"Binry": {}}), "Did you mean 'Binary'"),
    ],
)
def test_impossible_classes_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()
