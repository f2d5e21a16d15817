"""The contract of every distillation method: what it trains, keeps and stores."""

import copy

import pytest
import torch

from fakes import build, labels, loss, make, networks, tasks, value
from segdistill.methods import Method

every = pytest.mark.parametrize("cls", Method.catalogue.values(), ids=Method.catalogue)


def trained(method):
    return {name: p for name, p in method.named_parameters() if p.requires_grad}


@every
def test_aligns_channels_with_parameters_that_all_get_a_gradient(cls):
    student, teacher, mask, task = networks(cls, more=3)
    method = build(make(cls), student, teacher, task)
    loss(method, student, teacher, mask).backward()
    without = [n for n, p in trained(method).items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not without


@every
def test_an_optimiser_step_changes_every_parameter(cls):
    student, teacher, mask, task = networks(cls, more=3)
    method = build(make(cls), student, teacher, task)
    before = copy.deepcopy(method.state_dict())
    if trained(method):
        optimizer = torch.optim.Adam(trained(method).values(), lr=0.1)
        loss(method, student, teacher, mask).backward()
        optimizer.step()
    assert not [name for name, p in trained(method).items() if torch.equal(before[name], p)]
    assert loss(method, student, teacher, mask).isfinite()


@every
def test_everything_trained_exists_before_the_first_forward_pass(cls):
    student, teacher, mask, task = networks(cls, more=3)
    method = build(make(cls), student, teacher, task)
    before = {name: p.detach().clone() for name, p in method.named_parameters()}
    names = set(method.state_dict())
    loss(method, student, teacher, mask)
    after = dict(method.named_parameters())
    assert before.keys() == after.keys()
    assert names == set(method.state_dict())
    assert all(torch.equal(before[name], after[name]) for name in before)


@every
def test_survives_a_copy(cls):
    student, teacher, mask, task = networks(cls, more=3)
    method = build(make(cls), student, teacher, task)
    twin = copy.deepcopy(method)
    torch.testing.assert_close(loss(twin, student, teacher, mask), loss(method, student, teacher, mask))


@every
def test_goes_on_from_its_state(cls):
    student, teacher, mask, task = networks(cls, more=3)
    method = build(make(cls), student, teacher, task)
    loss(method, student, teacher, mask)  # a memory bank has moved
    twin = make(cls)
    torch.manual_seed(1)
    twin.build(student, teacher, task)  # neither prepared nor of the same draws
    twin.load_state_dict(method.state_dict())
    assert torch.equal(loss(twin, student, teacher, mask), loss(method, student, teacher, mask))


@every
def test_says_the_same_twice_unless_it_remembers(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    before = copy.deepcopy(method.state_dict())
    first, second = (loss(method, student, teacher, mask) for _ in range(2))
    remembers = any(not torch.equal(x, before[name]) for name, x in method.state_dict().items())
    assert remembers or torch.equal(first, second)


@every
def test_auxiliary_networks_are_frozen_outside_their_own_step(cls):
    student, teacher, mask, task = networks(cls)
    method = build(make(cls), student, teacher, task)
    loss(method, student, teacher, mask).backward()
    optimizer = method.auxiliary_optimizer()
    if optimizer is None:
        assert method.auxiliary_losses() == {}
        return
    frozen = [p for group in optimizer.param_groups for p in group["params"]]
    assert not any(p.requires_grad for p in frozen)
    assert all(term.isfinite() for term in method.auxiliary_losses().values())


@every
def test_a_single_image_will_do_where_it_says_so(cls):
    if cls.traits.images == 1:
        student, teacher, _, task = networks(cls, count=1)
        mask = labels(tuple(student.logits.shape[2:]), task, count=1)
        assert loss(build(make(cls), student, teacher, task), student, teacher, mask).isfinite()


@every
def test_a_background_only_image_gives_no_nan(cls):
    for task in tasks(cls):
        student, teacher, mask, _ = networks(cls, task)
        result = value(build(make(cls), student, teacher, task), student, teacher, torch.zeros_like(mask))
        assert result.isfinite()
        assert result.requires_grad


@every
def test_a_batch_without_labels_gives_no_nan(cls):
    for task in tasks(cls):
        student, teacher, mask, _ = networks(cls, task)
        nothing = torch.full_like(mask, task.ignore_index)
        result = value(build(make(cls), student, teacher, task), student, teacher, nothing)
        assert result.isfinite()
        assert result.requires_grad
