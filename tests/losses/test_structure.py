import numpy as np
import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.losses import Structure, StructureAsReleased, StructureUACANet
from segdistill.losses.structure import local_mean
from segdistill.tasks import Binary, Multiclass, Multilabel

VARIANTS = (Structure, StructureAsReleased, StructureUACANet)


def weights(g, window, gain):
    """One pixel after the other, in float64."""
    w, r = np.empty_like(g), window // 2
    for y, x in np.ndindex(g.shape):
        seen = g[max(y - r, 0) : y + r + 1, max(x - r, 0) : x + r + 1]
        w[y, x] = 1 + gain * abs(seen.sum() / window**2 - g[y, x])
    return w


def textbook(cls, z, g, window=31, gain=5):
    """The loss of one map."""
    w, p = weights(g, window, gain), 1 / (1 + np.exp(-z))
    bce = -(g * np.log(p) + (1 - g) * np.log(1 - p))
    pixels = bce.mean() if cls is StructureAsReleased else (w * bce).sum() / w.sum()
    if cls is StructureUACANet:
        iou = 1 - (p * g + 1) / (p + g - p * g + 1)
        return pixels + (w * iou).sum() / w.sum()
    both = (w * p * g).sum()
    return pixels + 1 - (both + 1) / ((w * (p + g)).sum() - both + 1)


def arrays(logits, mask):
    return [(z.double().numpy(), g.double().numpy()) for z, g in zip(logits, mask, strict=True)]


@pytest.mark.parametrize("cls", VARIANTS)
@pytest.mark.parametrize("options", [{}, {"window": 5, "gain": 2}], ids=str)
def test_is_the_mean_of_the_textbooks_value_over_images(cls, options):
    logits, mask = torch.randn(3, 1, 9, 40), torch.randint(0, 2, (3, 9, 40))
    wanted = np.mean([textbook(cls, z, g, **options) for z, g in arrays(logits[:, 0], mask)])
    assert cls(**options)(logits, mask, Binary()).item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("cls", VARIANTS)
def test_several_labels_are_averaged(cls):
    logits, mask = torch.randn(2, 3, 8, 8), torch.randint(0, 2, (2, 3, 8, 8))
    wanted = np.mean([textbook(cls, z, g) for z, g in arrays(logits.flatten(0, 1), mask.flatten(0, 1))])
    assert cls()(logits, mask, Multilabel(("a", "b", "c"))).item() == pytest.approx(wanted, rel=1e-5)


def test_the_variants_differ():
    logits, mask = torch.randn(1, 1, 40, 40), torch.zeros(1, 40, 40)
    mask[:, 10:20, 10:20] = 1
    assert len({cls()(logits, mask, Binary()).item() for cls in VARIANTS}) == 3


def test_the_released_cross_entropy_is_that_of_the_whole_batch():
    logits, mask = torch.randn(4, 1, 12, 12), torch.randint(0, 2, (4, 12, 12))
    loss = StructureAsReleased()
    pooled = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0], mask.float())
    overlap = torch.stack([loss(z[None], g[None], Binary()) for z, g in zip(logits, mask, strict=True)])
    alone = [
        torch.nn.functional.binary_cross_entropy_with_logits(z[0], g.float())
        for z, g in zip(logits, mask, strict=True)
    ]
    torch.testing.assert_close(loss(logits, mask, Binary()), pooled + (overlap - torch.stack(alone)).mean())


@pytest.mark.parametrize("cls", VARIANTS)
def test_an_ignored_pixel_weighs_nothing_and_stands_for_background(cls):
    logits, mask = torch.randn(1, 1, 6, 6), torch.randint(0, 2, (1, 6, 6))
    mask[0, 0, 0] = 255
    z, g = logits[0, 0].double().numpy(), (mask[0] == 1).double().numpy()
    valid = (mask[0] != 255).numpy()
    w, p = weights(g, 31, 5)[valid], (1 / (1 + np.exp(-z)))[valid]
    g = g[valid]
    bce = -(g * np.log(p) + (1 - g) * np.log(1 - p))
    pixels = bce.mean() if cls is StructureAsReleased else (w * bce).sum() / w.sum()
    both, either = (p * g, p + g - p * g) if cls is StructureUACANet else ((w * p * g).sum(), 0)
    if cls is StructureUACANet:
        overlap = (w * (1 - (both + 1) / (either + 1))).sum() / w.sum()
    else:
        overlap = 1 - (both + 1) / ((w * (p + g)).sum() - both + 1)
    assert cls()(logits, mask, Binary()).item() == pytest.approx(pixels + overlap, rel=1e-5)


@pytest.mark.parametrize("shape", [(9,), (9, 6), (5, 6, 7)], ids=len)
def test_windows_see_zeros_beyond_the_border_in_any_dimension(shape):
    x = torch.rand(2, 1, *shape)
    inner = local_mean(torch.ones(1, 1, *shape), 3)
    assert inner.max().item() == pytest.approx(1)
    assert inner.min().item() == pytest.approx((2 / 3) ** len(shape))
    pool = getattr(torch.nn.functional, f"avg_pool{len(shape)}d")
    torch.testing.assert_close(local_mean(x, 3), pool(x, 3, stride=1, padding=1))


@pytest.mark.parametrize("cls", VARIANTS)
def test_a_softmax_is_refused(cls):
    task = Multiclass(("a", "b", "c"))
    with pytest.raises(SegDistillError, match=f"{cls.__name__} needs a Binary or Multilabel task. .* take"):
        cls()(torch.randn(1, 3, 4, 4), torch.zeros(1, 4, 4), task)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 30}, "odd window of at least 1 pixel, got 30"),
        ({"window": -1}, "odd window of at least 1 pixel, got -1"),
        ({"gain": -0.5}, "gain of at least 0, got -0.5"),
    ],
    ids=str,
)
def test_impossible_windows_and_gains_are_refused(options, message):
    with pytest.raises(SegDistillError, match=f"StructureUACANet needs an? {message}"):
        StructureUACANet(**options)
