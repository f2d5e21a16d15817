"""Sections as objects."""

from __future__ import annotations

import pytest
import torch

from segdistill import config
from segdistill.core import SegDistillError
from segdistill.methods import KD, Sum
from segdistill.tasks import Binary, Multiclass


def test_each_section_becomes_its_object(recipe):
    assert config.build_task(recipe["task"]) == Binary()
    assert config.build_training(recipe["training"]).epochs == 2
    assert type(config.build_loss(recipe["loss"])).__name__ == "DiceBCE"
    assert len(config.build_data(recipe["data"]).train) == 4


def test_a_list_of_methods_is_their_sum(recipe):
    method = config.build_method(recipe["method"])
    assert isinstance(method, Sum)
    assert [type(part).__name__ for part in method.parts] == ["KD", "LogitMSE"]
    assert method.parts[0].temperature == 2


def test_one_method_stays_itself():
    assert isinstance(config.build_method(["KD"]), KD)
    assert isinstance(config.build_method("KD"), KD)


def test_an_empty_list_of_methods_is_an_error():
    with pytest.raises(SegDistillError, match="empty list"):
        config.build_method([])


def test_the_complete_configuration_builds_the_same_objects(recipe):
    full = config.complete(recipe)
    assert config.build_training(full["training"]) == config.build_training(recipe["training"])
    assert config.build_task(full["task"]) == config.build_task(recipe["task"])
    one, two = (config.build_network(c["student"], task=Binary(), seed=3) for c in (recipe, full))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


def test_the_weights_of_a_network_depend_on_the_seed_alone(recipe):
    state = torch.get_rng_state()
    one = config.build_network(recipe["student"], task=Binary(), seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(5)
    two = config.build_network(recipe["student"], task=Binary(), seed=1)
    other = config.build_network(recipe["student"], task=Binary(), seed=2)
    assert torch.equal(next(one.parameters()), next(two.parameters()))
    assert not torch.equal(next(one.parameters()), next(other.parameters()))


def test_a_network_gets_as_many_logits_as_the_task_has():
    task = Multiclass(("background", "a", "b"))
    net = config.build_network(
        {"net": {"smp.Unet": {"encoder_name": "resnet18"}}, "weights": "none"}, task=task
    )
    with torch.no_grad():
        assert net.eval()(torch.rand(1, 3, 32, 32)).logits.shape[1] == 3


def test_a_misspelt_option_of_a_network_is_an_error():
    with pytest.raises(SegDistillError, match="encoder_nam"):
        config.build_network({"net": {"smp.Unet": {"encoder_nam": "x"}}, "weights": "none"}, task=Binary())


def test_an_option_that_no_schedule_reads_is_an_error():
    with pytest.raises(SegDistillError, match="does not read it"):
        config.build_training({"schedule": "cosine", "power": 0.5})
