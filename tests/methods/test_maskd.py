import copy

import numpy as np
import pytest
import torch

from fakes import TASKS, each, labels, loss, networks
from segdistill.core import Output, SegDistillError
from segdistill.methods import MasKD
from segdistill.methods.parts.mask_tokens import Lesson, Tokens, overlap
from segdistill.tasks import Binary, Multiclass


def built(cls=MasKD, *, seed=0, task=None, **options):
    student, teacher, mask, task = networks(cls, task)
    torch.manual_seed(seed)
    method = cls(**options)
    method.build(student, teacher, task)
    return method, student, each(teacher, torch.Tensor.detach), mask, task


def test_every_region_counts_alike_by_its_area():
    method, student, teacher, mask, _ = built(taps="f", tokens=3)
    tokens = method.tokens["f"].weight.double().numpy()
    s, t = (output["f"].detach().double().numpy().reshape(2, 5, -1) for output in (student, teacher))
    values = []
    for n in range(2):
        for k in range(3):
            m = 1 / (1 + np.exp(-tokens[k] @ t[n]))
            values += [((m * (s[n, c] - t[n, c])) ** 2).sum() / m.sum() for c in range(5)]
    assert loss(method, student, teacher, mask).item() == pytest.approx(np.mean(values), rel=1e-5)


def test_regions_are_those_of_the_teacher():
    method, student, teacher, mask, _ = built(taps="f")
    moved = Output(student.logits, {**student.features, "f": student["f"] + 1})
    before = method.tokens["f"](teacher["f"])
    loss(method, moved, teacher, mask).backward()
    torch.testing.assert_close(method.tokens["f"](teacher["f"]), before)
    assert not list(method.tokens.parameters())  # frozen: nothing for the optimiser


def test_logits_are_not_projected_but_features_are():
    method, *_ = built(taps=("logits", "f"))
    assert set(method.adapters) == {"f"}


def test_a_token_starts_with_products_of_size_one_whatever_the_features_scale():
    torch.manual_seed(0)
    feature = 1000 * torch.randn(4, 64, 16, 16)
    products = Tokens(feature, 32).weight @ feature.flatten(2)
    assert products.std().item() == pytest.approx(1, abs=0.1)


def test_overlap_is_the_mean_dice_of_two_masks():
    m = np.random.default_rng(0).random((2, 3, 10))
    dice = [
        2 * (m[n, i] * m[n, j]).sum() / ((m[n, i] ** 2).sum() + (m[n, j] ** 2).sum())
        for n in range(2)
        for i in range(3)
        for j in range(3)
        if i != j
    ]
    assert overlap(torch.from_numpy(m)).item() == pytest.approx(np.mean(dice))


def test_a_single_mask_overlaps_nothing():
    assert overlap(torch.rand(2, 1, 10)) == 0


def lesson(task, *, head, seed=0):
    """Two classes that a feature tells apart, with a strip of ignored pixels."""
    torch.manual_seed(seed)
    mask = labels((16, 16), task, ignored=True)
    feature = torch.randn(2, task.channels if not head else 6, 16, 16) + 3 * task.targets(mask)[:, :1]
    tokens = Tokens(feature, 4)
    return Lesson(tokens, feature, task, head=head), tokens, feature, mask


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("head", [False, True], ids=["logits", "feature"])
def test_tokens_learn_from_the_labels(task, head):
    teacher, tokens, feature, mask = lesson(task, head=head)
    before = tokens.weight.clone()
    losses = [teacher.step(feature, mask) for _ in range(30)]
    assert losses[-1] < losses[0] - 0.05
    assert not torch.equal(tokens.weight, before)
    assert not tokens.weight.requires_grad


def test_ignored_pixels_teach_nothing():
    task = Multiclass(("a", "b", "c"))
    surprises = []
    for other in (0.0, 100.0):
        teacher, _, feature, mask = lesson(task, head=False)
        logits = feature + other * (mask == 255)[:, None] * torch.arange(3.0).view(1, 3, 1, 1)
        surprises.append(teacher._surprise(logits, task.targets(mask), task.valid(mask)))
    torch.testing.assert_close(*surprises)


def test_the_surprise_is_the_cross_entropy():
    for task, function in (
        (Multiclass(("a", "b", "c")), lambda z, m: torch.nn.functional.cross_entropy(z, m)),
        (
            Binary(),
            lambda z, m: torch.nn.functional.binary_cross_entropy_with_logits(z[:, 0], m.float()),
        ),
    ):
        teacher, _, feature, _ = lesson(task, head=False)
        mask = labels((16, 16), task)
        found = teacher._surprise(feature, task.targets(mask), task.valid(mask))
        torch.testing.assert_close(found, function(feature, mask))


def test_an_image_of_ignored_pixels_alone_gives_no_nan():
    teacher, tokens, feature, mask = lesson(Binary(), head=False)
    assert np.isfinite(teacher.step(feature, torch.full_like(mask, 255)))
    assert tokens.weight.isfinite().all()


def test_preparation_can_be_repeated_exactly():
    states = []
    for _ in range(2):
        method, _, teacher, mask, _ = built(taps=("logits", "f"))
        torch.manual_seed(7)
        method.prepare([(teacher, mask)] * 3)
        states.append(copy.deepcopy(method.state_dict()))
    assert states[0].keys() == states[1].keys() >= {"tokens.logits.weight", "tokens.f.weight"}
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_preparation_moves_every_tap_and_keeps_no_head():
    method, _, teacher, mask, _ = built(taps=("logits", "f"))
    before = copy.deepcopy(method.state_dict())
    method.prepare(iter([(teacher, mask)] * 2))
    after = method.state_dict()
    assert before.keys() == after.keys()
    moved = {name for name in after if not torch.equal(before[name], after[name])}
    assert moved == {"tokens.logits.weight", "tokens.f.weight"}


def test_preparation_works_where_gradients_are_off():
    method, _, teacher, mask, _ = built()
    before = method.tokens["logits"].weight.clone()
    with torch.no_grad():
        method.prepare([(teacher, mask)])
    assert not torch.equal(method.tokens["logits"].weight, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokens": 0}, "tokens of at least 1, got 0"),
        ({"preparation": -1}, "preparation of at least 0, got -1"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        MasKD(**options)
