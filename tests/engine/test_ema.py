import torch

from segdistill.engine.ema import EMA
from toys import tiny_net


def test_it_follows_with_the_decay_of_its_step():
    net = tiny_net()
    ema = EMA(net, 0.9)
    start = net.head.bias.detach().clone()
    with torch.no_grad():
        net.head.bias += 1
    ema.update(net)
    decay = 2 / 11  # min(0.9, (1 + n) / (10 + n)) in the first step
    torch.testing.assert_close(ema.model.head.bias, decay * start + (1 - decay) * (start + 1))


def test_it_reaches_a_model_that_stands_still():
    net = tiny_net()
    ema = EMA(tiny_net(seed=1), 0.5)
    for _ in range(60):
        ema.update(net)
    for mine, theirs in zip(ema.model.parameters(), net.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_counters_are_copied_and_statistics_averaged():
    net = tiny_net(norm=True)
    ema = EMA(net, 0.9)
    net.train()(torch.rand(2, 3, 16, 16))
    ema.update(net)
    assert ema.model.stem[1].num_batches_tracked == 1
    assert ema.model.stem[1].running_mean.abs().sum() > 0


def test_it_is_never_trained():
    ema = EMA(tiny_net().train(), 0.9)
    assert not ema.model.training
    assert not any(p.requires_grad for p in ema.model.parameters())


def test_shared_weights_move_once():
    net = tiny_net()
    net.twin = net.head
    ema = EMA(net, 0.9)
    start = net.head.bias.detach().clone()
    with torch.no_grad():
        net.head.bias += 1
    ema.update(net)
    torch.testing.assert_close(ema.model.head.bias, start + 9 / 11)
