from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import nn

from segdistill import Multiclass, Tapped
from segdistill.core import SegDistillError
from segdistill.data.loading import to_unit
from segdistill.engine import evaluate, evaluate_by
from segdistill.metrics import DICE_AT_HALF, Protocol, find_protocol
from segdistill.metrics.miou import MIOU, VOC_513
from segdistill.metrics.resample import corner_nearest
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


@pytest.mark.parametrize("wrong", [torch.nan, torch.inf])
def test_a_network_that_gives_no_numbers_is_not_scored(wrong):
    net = Bright()
    net.level.data.fill_(wrong)
    with pytest.raises(SegDistillError, match="gives 'disc_00' logits that are not finite, and NaN has no"):
        evaluate(net, Discs(2))


def test_an_empty_set_is_a_sentence():
    with pytest.raises(SegDistillError, match="no images to evaluate"):
        evaluate(Bright(), Discs(0))


@dataclass(frozen=True, kw_only=True)
class Reads(Protocol):
    """Scores nothing; keeps what it is fed."""

    reads: str

    def metric(self, task=None):
        return Kept()


class Kept:
    name = "kept"

    def __init__(self):
        self.fed = {}

    def update(self, predicted, target, ids, *, spacing=None):
        self.fed |= dict(zip(ids, zip(predicted, target, strict=True), strict=True))


def reads(kind):
    return Reads(name=kind, version=1, empty="", resize="", reference="", reads=kind)


class Ramp(nn.Module):
    """Logits from -3 to 3 from left to right; counts how often it is asked."""

    def __init__(self):
        super().__init__()
        self.asked = 0
        self.level = nn.Parameter(torch.zeros(()))

    def forward(self, image):
        self.asked += len(image)
        line = torch.linspace(-3, 3, image.shape[-1]) + self.level
        return line.expand(len(image), 1, *image.shape[-2:])


def test_one_forward_pass_feeds_every_protocol_with_what_it_reads():
    net = Ramp()
    metrics = evaluate_by(net, Discs(3), [reads("map"), reads("mask")])
    assert net.asked == 3
    probability = torch.linspace(-3, 3, 32).sigmoid().double().numpy()
    for name, (levels, target) in metrics["map"].fed.items():
        mask = metrics["mask"].fed[name][0]
        assert levels.dtype == np.uint8
        assert (levels == np.rint(probability * 255)).all(), "rounded, and not stretched to 0 and 255"
        assert (mask == (probability > 0.5)).all()
        assert set(np.unique(target)) == {0, 1}


def test_scores_by_protocol_are_those_of_evaluate():
    assert evaluate_by(Bright(), Mixed(), [DICE_AT_HALF])["dice@0.5"].rows == evaluate(Bright(), Mixed()).rows


class Sized(Ramp):
    """Keeps the sizes of the images that it is shown."""

    def __init__(self):
        super().__init__()
        self.sizes = set()

    def forward(self, image):
        self.sizes.add(tuple(image.shape[-2:]))
        return super().forward(image)


@pytest.mark.parametrize(("own", "shown"), [(None, {(32, 32), (48, 48)}), (16, {(16, 16)})])
def test_voc_513_shows_a_network_of_any_size_the_resized_image(own, shown):
    net, at_48 = Sized(), replace(VOC_513, short_side=48)
    metrics = evaluate_by(Tapped(net, size=own), Discs(2), [at_48, MIOU])
    assert net.sizes == shown
    scores = metrics["voc-513"].compute()
    assert scores["resized_predictions"] == 0
    assert metrics["voc-513"].rows[0]["pixels"] == 48 * 48
    assert list(metrics) == ["voc-513", "miou"]


def test_protocols_of_volumes_are_refused_for_images():
    with pytest.raises(SegDistillError, match="'volume' scores whole volumes, .* score the files"):
        evaluate_by(Bright(), Discs(2), [DICE_AT_HALF, reads("volume")])


def test_a_map_has_one_foreground():
    with pytest.raises(SegDistillError, match="scores one foreground, and this network finds a, b, c"):
        evaluate_by(Bright(), Discs(2), [reads("map")], task=Multiclass(("a", "b", "c")))


def test_ignored_pixels_are_refused_where_no_protocol_knows_them():
    data = Discs(2)
    data.samples[1][1][0, 0] = 255
    with pytest.raises(SegDistillError, match="mask of 'disc_01' has ignored pixels"):
        evaluate_by(Bright(), data, [reads("map")])
    evaluate_by(Bright(), data, [reads("mask")])


def test_a_protocol_of_one_size_gets_the_networks_own_output_at_that_size(discs):
    protocol = replace(find_protocol("dice@320"), size=(16, 16))
    tapped = Tapped(tiny_net(), size=16)
    rows = evaluate_by(tapped, discs, (protocol,))[protocol.name].rows
    image = to_unit(discs[0]["image"].as_subclass(torch.Tensor))
    own = tapped.own([image])[0][0, 0] > 0
    truth = torch.as_tensor(corner_nearest(discs[0]["mask"].numpy() > 0, (16, 16)))
    both = 2 * (own & truth).sum() / (own.sum() + truth.sum())
    assert rows[0]["dice"] == pytest.approx(both.item(), abs=1e-6)
