import pytest
import torch
from torch import nn

from segdistill import Tapped
from segdistill.core import SegDistillError
from segdistill.engine import evaluate
from toys import Discs, tiny_net


class Bright(nn.Module):
    """Finds bright pixels, that is, the discs."""

    def __init__(self):
        super().__init__()
        self.level = nn.Parameter(torch.tensor(0.5))

    def forward(self, image):
        return (image.mean(dim=1, keepdim=True) - self.level) * 100


class Mixed(Discs):
    """Images of different sizes."""

    def __init__(self):
        super().__init__(3)
        self.samples = [Discs(8, size=size).samples[0] for size in ((32, 32), (20, 44), (50, 31))]


def test_a_perfect_network_scores_one_at_every_size():
    scores = evaluate(Bright(), Mixed()).compute()
    assert scores["dice"] == scores["iou"] == 1
    assert scores["images"] == 3
    assert scores["protocol"] == "dice@0.5"


def test_masks_are_compared_at_the_images_own_size():
    metric = evaluate(Tapped(Bright(), size=(12, 12)), Mixed())
    assert 0.7 < metric.compute()["dice"] < 1


def test_the_batch_size_does_not_matter():
    net = Tapped(tiny_net(), size=(32, 32))
    rows = [evaluate(net, Mixed(), batch_size=size).rows for size in (1, 2, 3)]
    assert rows[0] == rows[1] == rows[2]


def test_shards_merge_to_the_whole():
    data = Discs(7)
    whole, one, two = (evaluate(Bright(), data, shard=shard) for shard in ((0, 1), (0, 2), (1, 2)))
    one.merge(two)
    assert one.compute() == whole.compute()


def test_the_network_is_left_as_it_was_found():
    net = tiny_net(norm=True).train()
    net.stem[1].eval()
    before = {name: m.training for name, m in net.named_modules()}
    evaluate(net, Discs(2))
    assert {name: m.training for name, m in net.named_modules()} == before


def test_an_empty_set_is_a_sentence():
    with pytest.raises(SegDistillError, match="no images to evaluate"):
        evaluate(Bright(), Discs(0))
