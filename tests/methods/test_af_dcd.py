"""Augmentation-free dense contrast against loops over cells and groups."""

import math

import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import AfDCD
from segdistill.tasks import Binary


def built(student, teacher, **options):
    method = AfDCD("f", **options)
    outputs = [Output(torch.zeros(len(x), 1, 4, 4), {"f": x}) for x in (student, teacher)]
    method.build(*outputs, Binary())
    return method, outputs


def plain_contrast(restored, teacher, *, groups, patch, temperature):
    """Loops over patches, cells and groups; sizes and channels divide."""
    channels, width = restored.shape[1], restored.shape[1] // groups
    losses = []
    for g, t in zip(restored.double(), teacher.double(), strict=True):
        for top in range(0, g.shape[1], patch):
            for left in range(0, g.shape[2], patch):
                places = [
                    (k, i, j)
                    for i in range(top, top + patch)
                    for j in range(left, left + patch)
                    for k in range(0, channels, width)
                ]
                for k, i, j in places:
                    own = g[k : k + width, i, j]
                    closeness = {
                        (m, a, b): -(own - t[m : m + width, a, b]).abs().sum().item() / temperature
                        for m, a, b in places
                        if m != k or (a, b) == (i, j)
                    }
                    total = math.fsum(math.exp(value) for value in closeness.values())
                    losses.append(math.log(total) - closeness[k, i, j])
    return sum(losses) / len(losses)


@pytest.mark.parametrize("patch", [2, 4])
def test_a_restored_vector_is_told_from_those_of_other_groups(patch):
    s, t = torch.randn(2, 6, 8, 4), torch.randn(2, 6, 8, 4)
    method, _ = built(s, t, groups=3, patch=patch, temperature=0.7)
    expected = plain_contrast(s, t, groups=3, patch=patch, temperature=0.7)
    assert method.contrast_of(s, t).item() == pytest.approx(expected, rel=2e-5)


def test_cells_are_maxima():
    s, t = torch.randn(2, 6, 16, 16), torch.randn(2, 6, 16, 16)
    method, _ = built(s, t, groups=3, pool=4)
    plain, _ = built(s, t, groups=3, pool=1)
    pooled = [torch.nn.functional.max_pool2d(x, 4) for x in (s, t)]
    torch.testing.assert_close(method.contrast_of(s, t), plain.contrast_of(*pooled))


def test_the_term_is_reconstruction_and_contrast_of_the_generators_output():
    s, t = torch.randn(2, 4, 8, 8), torch.randn(2, 6, 8, 8)
    method, outputs = built(s, t, reconstruction=2, contrast=3, mask=0)
    restored = method.adapters["f"](s)
    expected = 2 * (restored - t).square().mean() + 3 * method.contrast_of(restored, t)
    torch.testing.assert_close(method(*outputs, torch.zeros(2, 4, 4))["AfDCD/f"], expected)


def test_the_mask_hides_the_said_share_of_positions_in_every_channel():
    method, _ = built(torch.ones(4, 6, 32, 32), torch.randn(4, 6, 32, 32), mask=0.75)
    generator, seen = method.adapters["f"], []
    generator.restore = torch.nn.Identity()
    seen = generator(torch.ones(4, 6, 32, 32))
    shown = seen.amax(dim=1) > 0
    assert shown.float().mean().item() == pytest.approx(0.25, abs=0.03)
    assert torch.equal(seen.amax(dim=1), seen.amin(dim=1))
    assert not torch.equal(shown[0], shown[1])


@pytest.mark.parametrize(
    ("size", "channels"), [((5, 7), 5), ((3, 2), 17), ((9, 4, 5), 3), ((13,), 40), ((1, 1), 2)]
)
def test_sizes_and_channels_need_not_divide(size, channels):
    s, t = torch.randn(2, 3, *size, requires_grad=True), torch.randn(2, channels, *size)
    method, outputs = built(s, t)
    method(*outputs, torch.zeros(2, 4, 4))["AfDCD/f"].backward()
    assert s.grad.isfinite().all()
    assert method.vectors(t).shape[2] == math.ceil(channels / 16)


def test_no_vector_is_nothing_but_padding():
    for channels in range(2, 70):
        method, _ = built(torch.zeros(1, channels, 2, 2), torch.zeros(1, channels, 2, 2))
        assert method.vectors(torch.ones(1, channels, 2, 2)).amax(dim=2).min() == 1


def test_a_teacher_of_one_channel_is_refused():
    with pytest.raises(SegDistillError, match="the teacher's feature has one channel: tap another"):
        built(torch.randn(1, 4, 4, 4), torch.randn(1, 1, 4, 4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0}, "AfDCD needs a positive temperature, got 0"),
        ({"reconstruction": 0, "contrast": 0}, "AfDCD has nothing left: reconstruction, contrast are all 0"),
        ({"contrast": -1}, "AfDCD needs contrast of at least 0, got -1"),
        ({"mask": 1}, "AfDCD needs mask from 0 to below 1, got 1"),
        ({"groups": 1}, "AfDCD needs groups of at least 2, got 1"),
        ({"patch": 0}, "AfDCD needs patch of at least 1, got 0"),
        ({"pool": 0}, "AfDCD needs pool of at least 1, got 0"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        AfDCD(**options)
