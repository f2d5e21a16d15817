import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.engine import Training
from segdistill.engine.schedule import build_optimizer, learning_rate_factor, set_learning_rate
from segdistill.engine.training import SCHEDULES
from toys import tiny_net

OPTIONS = {"step": {"step_epochs": 4}}


def factors(schedule, *, epochs=10, steps=5, **options):
    training = Training(epochs=epochs, schedule=schedule, **{**OPTIONS.get(schedule, {}), **options})
    return [learning_rate_factor(s, steps_per_epoch=steps, training=training) for s in range(epochs * steps)]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_stays_between_nothing_and_its_peak(schedule):
    assert all(0 <= f <= 1 for f in factors(schedule))
    assert max(factors(schedule)) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("schedule", ["poly", "cosine", "one-cycle"])
def test_it_ends_near_zero(schedule):
    assert factors(schedule)[-1] < 0.05


def test_the_shapes_are_the_fields():
    assert factors("constant") == [1] * 50
    assert factors("step")[19:21] == pytest.approx([1, 0.1])
    assert factors("poly", power=2.0)[25] == pytest.approx(0.25)
    assert factors("cosine")[25] == pytest.approx(0.5)
    assert factors("one-cycle")[15] == pytest.approx(1)


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "one-cycle"])
def test_warm_up_grows_to_the_peak_without_a_jump(schedule):
    warm = factors(schedule, warmup=2)
    assert warm[:10] == sorted(warm[:10])
    assert warm[0] > 0
    assert warm[9] < 1
    assert warm[10] == 1


def test_the_optimiser_holds_every_parameter_once_at_its_factor():
    net, adapter = tiny_net(), torch.nn.Parameter(torch.zeros(3))
    training = Training(lr=1.0, lr_factors={"stem": 0.1, "body": 0.5})
    optimizer = build_optimizer(net, [adapter], training)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert len(rates) == len(list(net.parameters())) + 1
    assert {rates[id(p)] for p in net.stem.parameters()} == {0.1}
    assert {rates[id(p)] for p in net.body.parameters()} == {0.5}
    assert {rates[id(p)] for p in net.head.parameters()} == {1.0}
    assert rates[id(adapter)] == 1.0


def test_the_longest_start_wins():
    net = tiny_net()
    optimizer = build_optimizer(net, [], Training(lr=1.0, lr_factors={"stem": 0.1, "stem.0.bias": 0.7}))
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert rates[id(net.stem[0].bias)] == 0.7
    assert rates[id(net.stem[0].weight)] == 0.1


def test_groups_keep_their_factors_along_the_schedule():
    optimizer = build_optimizer(tiny_net(), [], Training(lr=1.0, lr_factors={"stem": 0.1}))
    set_learning_rate(optimizer, 0.5)
    assert sorted(group["lr"] for group in optimizer.param_groups) == [0.05, 0.5]


def test_a_start_that_fits_nothing_is_an_error():
    with pytest.raises(SegDistillError, match="in lr_factors 'encodr'"):
        build_optimizer(tiny_net(), [], Training(lr_factors={"encodr": 0.1}))


@pytest.mark.parametrize(
    ("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)]
)
def test_optimisers_are_torchs(name, kind):
    assert type(build_optimizer(tiny_net(), [], Training(optimizer=name))) is kind
