"""Image and mask move together, by torch's random numbers alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.data import Augment
from segdistill.data.samples import as_sample

GEOMETRY = {"brightness": 0, "contrast": 0, "saturation": 0}


def blob(height=60, width=80):
    """A sample whose red channel is its mask, and whose blue channel rises to the right."""
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (width // 3, height // 2), (width // 5, height // 6), 30, 0, 360, 1, -1)
    ramp = np.broadcast_to(np.linspace(0, 255, width), (height, width)).astype(np.uint8)
    return as_sample(np.dstack([mask * 255, np.zeros_like(mask), ramp]), mask, "blob")


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([(60, 80), (48, 48), (100, 90)]))
def test_the_mask_stays_on_its_object(seed, size):
    torch.manual_seed(seed)
    moved = Augment(size, p_affine=0.7, **GEOMETRY)(blob())
    red, mask = (moved["image"][0].numpy() >= 128).astype(np.uint8), moved["mask"].numpy()
    assert (red.shape, mask.shape) == (size, size)
    # Of an object that has all but left the image, one of the two may show a last pixel alone.
    assert (red == mask)[~(rim(red) | rim(mask))].all()
    # and within the rim, the two outlines differ by less than half a pixel on average
    assert (red != mask).sum() <= 0.5 * rim(mask).sum() / 4 + 3


def rim(mask):
    return cv2.dilate(mask, np.ones((5, 5))) != cv2.erode(mask, np.ones((5, 5)))


def test_the_result_is_a_sample_of_bytes_in_the_asked_size():
    moved = Augment((32, 48))(blob())
    assert isinstance(moved["image"], tv_tensors.Image)
    assert isinstance(moved["mask"], tv_tensors.Mask)
    assert (moved["image"].shape, moved["image"].dtype) == ((3, 32, 48), torch.uint8)
    assert (moved["mask"].shape, moved["mask"].dtype) == ((32, 48), torch.uint8)
    assert moved["id"] == "blob"


def test_without_options_at_equal_size_nothing_changes():
    sample = blob()
    same = Augment((60, 80), hflip=0, vflip=0, p_affine=0, **GEOMETRY)(sample)
    assert torch.equal(same["image"], sample["image"])
    assert torch.equal(same["mask"], sample["mask"])


@pytest.mark.parametrize(("option", "axis"), [("hflip", -1), ("vflip", -2)])
@pytest.mark.parametrize("p_affine", [0, 1])
def test_flips_are_exact_whether_by_flip_or_by_warp(option, axis, p_affine):
    options = {"hflip": 0, "vflip": 0, option: 1, "p_affine": p_affine}
    sample = blob()
    flipped = Augment((60, 80), rotation=0, scale=(1, 1), translate=0, **options, **GEOMETRY)(sample)
    assert torch.equal(flipped["image"], sample["image"].flip(axis))
    assert torch.equal(flipped["mask"], sample["mask"].flip(axis))


def test_the_input_is_left_as_it_was():
    sample = blob()
    image, mask = sample["image"].clone(), sample["mask"].clone()
    Augment((60, 80), p_affine=1)(sample)
    assert torch.equal(sample["image"], image)
    assert torch.equal(sample["mask"], mask)


def test_the_same_torch_seed_gives_the_same_result_whatever_numpy_does():
    results = []
    for state in (1, 2):
        torch.manual_seed(5)
        np.random.seed(state)  # noqa: NPY002 - the point is that it does not matter
        results.append(Augment(48)(blob()))
    assert torch.equal(results[0]["image"], results[1]["image"])
    assert torch.equal(results[0]["mask"], results[1]["mask"])


def test_switching_one_option_off_leaves_the_others_draws_alone():
    torch.manual_seed(3)
    one = Augment(48, hflip=0, p_affine=1)(blob())["mask"]
    torch.manual_seed(3)
    two = Augment(48, hflip=0, p_affine=1, brightness=0, saturation=0)(blob())["mask"]
    assert torch.equal(one, two)


def test_the_rim_can_be_ignored():
    whole = as_sample(np.full((32, 32, 3), 90, np.uint8), np.ones((32, 32), np.uint8), "a")
    options = {"scale": (0.5, 0.5), "rotation": 0, "translate": 0, "p_affine": 1}
    assert Augment(32, **options)(whole)["mask"].unique().tolist() == [1]
    assert Augment(32, **options, ignore_index=255)(whole)["mask"].unique().tolist() == [1, 255]
    assert 240 <= (Augment(32, **options, ignore_index=255)(whole)["mask"] == 1).sum() <= 290


def test_colours_change_as_their_definitions_say():
    image = torch.tensor([120, 60, 30], dtype=torch.uint8).view(3, 1, 1).expand(3, 4, 4).permute(1, 2, 0)
    sample = as_sample(image.contiguous().numpy(), np.zeros((4, 4), np.uint8), "a")
    augment = Augment(4, hflip=0, vflip=0, p_affine=0)
    draws = [0.0] * 7 + [1.0, 0.5, 0.0]  # brightest, contrast unchanged, least saturated
    changed = augment._recolour(sample["image"].permute(1, 2, 0).numpy(), draws)[0, 0]
    grey = 0.299 * 120 + 0.587 * 60 + 0.114 * 30
    assert changed == pytest.approx([1.2 * (0.7 * value + 0.3 * grey) for value in (120, 60, 30)], abs=0.6)


def test_contrast_pulls_towards_the_mean_grey():
    rng = np.random.default_rng(0)
    image = rng.integers(60, 190, (8, 8, 1), dtype=np.uint8).repeat(3, axis=2)
    low = Augment(8)._recolour(image, [0.0] * 7 + [0.5, 0.0, 0.5])
    mean = image.mean()
    assert low.astype(float) == pytest.approx(mean + 0.8 * (image - mean), abs=0.6)


def test_the_repr_makes_the_same_augmentation():
    augment = Augment(64, rotation=10, ignore_index=255)
    assert eval(repr(augment)).options() == augment.options()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hflip": 2}, "hflip=2 is out of range; use 0 to 1"),
        ({"rotation": 270}, "rotation=270 is out of range; use 0 to 180"),
        ({"saturation": -1}, "saturation=-1 is out of range"),
        ({"scale": (1.2, 0.8)}, "is no range of zooms"),
    ],
)
def test_impossible_options_are_errors(options, message):
    with pytest.raises(SegDistillError, match=message):
        Augment(32, **options)


def test_an_empty_size_is_an_error():
    with pytest.raises(SegDistillError, match=r"size=\(0, 0\) is empty"):
        Augment(0)
