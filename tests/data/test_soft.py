"""A teacher's map moves exactly as its image does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from segdistill.core import SegDistillError
from segdistill.data import Augment, SoftMask
from segdistill.data.seeding import seeded
from segdistill.data.soft import flip, warp
from segdistill.data.taught import check_moves, with_maps

SIZE = (48, 64)
GEOMETRY = {"brightness": 0, "contrast": 0, "saturation": 0}


def smooth(rows: int, columns: int, *, over: tuple[int, int] = SIZE) -> Tensor:
    """A wave over an image of size `over`, sampled at the centres of a grid's cells."""
    y = (torch.arange(rows) + 0.5) / rows * over[0]
    x = (torch.arange(columns) + 0.5) / columns * over[1]
    return 100 + 60 * torch.sin(y / 9)[:, None] * torch.cos(x / 11)


def sample(maps: dict[str, Tensor]):
    image = smooth(*SIZE).round().to(torch.uint8)[None].repeat(3, 1, 1)
    return {
        "image": tv_tensors.Image(image),
        "mask": tv_tensors.Mask(torch.zeros(SIZE, dtype=torch.uint8)),
        "id": "a",
        "teacher": maps,
    }


@pytest.mark.parametrize("seed", range(8))
def test_a_map_of_the_images_size_stays_on_the_image(seed):
    augment = Augment(SIZE, **GEOMETRY, p_affine=1)
    with seeded(seed):
        moved = augment(sample({"logits": smooth(*SIZE)[None]}))
    image = moved["image"][0].float().as_subclass(Tensor)
    assert (moved["teacher"]["logits"][0].as_subclass(Tensor) - image).abs().max() < 1.5  # bytes are rounded


@pytest.mark.parametrize("channels", [1, 6])
@pytest.mark.parametrize("seed", range(6))
def test_a_coarse_map_stays_on_the_image(seed, channels):
    augment = Augment(SIZE, **GEOMETRY, p_affine=1, scale=(1, 1.5), translate=0)
    with seeded(seed):
        moved = augment(sample({"logits": smooth(12, 16).expand(channels, 12, 16)}))
    image = torch.nn.functional.avg_pool2d(moved["image"][:1].float().as_subclass(Tensor)[None], 4)[0, 0]
    for channel in moved["teacher"]["logits"].as_subclass(Tensor):
        # Away from the rim, where the grid's coarseness shows in what is mirrored.
        assert (channel - image)[3:-3, 3:-3].abs().max() < 12
        assert (channel - image)[3:-3, 3:-3].abs().mean() < 3


def test_few_and_many_channels_move_alike():
    soft = torch.rand(1, 24, 32)
    matrix = np.array([[0.9, -0.3, 6.0], [0.3, 0.9, -4.0]])
    for size in (SIZE, (24, 32)):
        one, many = warp(soft, matrix, size), warp(soft.expand(6, -1, -1), matrix, size)
        torch.testing.assert_close(one.expand(6, -1, -1), many, rtol=0, atol=0.02)


@pytest.mark.parametrize("grid", [(24, 32), (48, 64)])
def test_beyond_the_rim_a_map_of_any_grid_is_mirrored_where_its_image_is(grid):
    matrix = np.array([[0.8, -0.2, 25.0], [0.2, 0.8, 14.0]])
    image = warp(smooth(*SIZE)[None], matrix, SIZE)
    expected = torch.nn.functional.adaptive_avg_pool2d(image, grid)
    found = warp(smooth(*grid).expand(6, -1, -1), matrix, SIZE)
    assert (found - expected).abs().max() < 1.5  # a pixel's shift is 6


def test_flips_are_exact():
    soft = torch.rand(2, 5, 7)
    assert torch.equal(flip(soft, (True, False)), soft[..., torch.arange(6, -1, -1)])
    assert torch.equal(flip(soft, (False, True)), soft[:, torch.arange(4, -1, -1)])
    augment = Augment(SIZE, hflip=1, vflip=0, p_affine=0)
    assert torch.equal(
        augment(sample({"logits": soft}))["teacher"]["logits"].as_subclass(Tensor), soft.flip(-1)
    )


def test_colours_do_not_reach_the_map():
    augment = Augment(SIZE, hflip=0, vflip=0, p_affine=0, brightness=0.9, contrast=0.9)
    plain = sample({"logits": torch.rand(1, 12, 16)})
    moved = augment(plain)
    assert not torch.equal(moved["image"], plain["image"])
    assert torch.equal(moved["teacher"]["logits"].as_subclass(Tensor), plain["teacher"]["logits"])


def test_a_map_changes_nothing_about_image_and_mask():
    augment, plain = Augment(32), sample({"logits": torch.rand(1, 12, 16)})
    with seeded(1):
        taught = augment(plain)
    with seeded(1):
        alone = augment({key: plain[key] for key in ("image", "mask", "id")})
    assert torch.equal(taught["image"], alone["image"])
    assert torch.equal(taught["mask"], alone["mask"])


class TestTorchvision:
    CHAIN = v2.Compose(
        [
            v2.RandomHorizontalFlip(),
            v2.RandomAffine(30, translate=(0.1, 0.1), scale=(1, 1.3)),
            v2.RandomVerticalFlip(),
            v2.RandomResizedCrop((40, 40), antialias=True),
            v2.ColorJitter(0.1),
        ]
    )

    @pytest.mark.parametrize("seed", range(6))
    def test_every_step_of_a_chain_moves_the_map(self, seed):
        """Unmarked results would stop moving after the first step."""
        mask = tv_tensors.Mask((smooth(*SIZE) > 100).to(torch.uint8))
        soft = (smooth(*SIZE) - 100)[None]
        ready = with_maps({**sample({}), "mask": mask}, {"logits": soft}, self.CHAIN)
        with seeded(seed):
            moved = self.CHAIN(ready)
        soft = moved["teacher"]["logits"]
        assert isinstance(soft, SoftMask)
        # Beyond the rim the mask is filled with background and the map with its rim: compare foreground.
        inside = moved["mask"] == 1
        assert (soft[0][inside] > -3).float().mean() > 0.97

    def test_a_coarse_map_is_brought_to_the_images_size_first(self):
        ready = with_maps(sample({}), {"logits": smooth(12, 16)[None]}, self.CHAIN)
        assert ready["teacher"]["logits"].shape == (1, *SIZE)

    @pytest.mark.parametrize("transform", [v2.RandomPerspective(p=1), v2.Pad(4), v2.ElasticTransform()])
    def test_a_transform_that_would_tear_the_map_is_refused(self, transform):
        ready = with_maps(sample({}), {"logits": smooth(12, 16)[None]}, transform)
        with pytest.raises(SegDistillError, match=r"cannot move a teacher's map.*views=4"):
            transform(ready)

    def test_a_chain_that_moves_the_map_passes_the_check(self):
        check_moves(sample({}), self.CHAIN)

    def test_an_augmentation_that_leaves_the_map_is_refused(self):
        def flips(sample):
            return {**sample, "image": sample["image"].flip(-1), "mask": sample["mask"].flip(-1)}

        with pytest.raises(SegDistillError, match="moves the mask but not the teacher's map"):
            check_moves(sample({}), flips)

    def test_an_augmentation_that_drops_the_map_is_refused(self):
        def drops(sample):
            return {key: sample[key] for key in ("image", "mask", "id")}

        with pytest.raises(SegDistillError, match="drops the teacher's maps"):
            check_moves(sample({}), drops)
