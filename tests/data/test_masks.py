"""Masks of every habit become class indices, and a doubtful one is an error instead of an empty mask."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.data import BinaryMask, IndexMask
from segdistill.data.masks import rule_for


@pytest.fixture
def save(tmp_path):
    def write(values, name="mask.png", mode=None):
        path = tmp_path / name
        pixels = np.array(values, np.uint8)
        Image.fromarray(pixels[None] if pixels.ndim == 1 else pixels, mode).save(path)
        return path

    return write


def test_grey_from_128_up_is_foreground(save):
    assert BinaryMask()(save([0, 1, 127, 128, 255])).tolist() == [[0, 0, 0, 1, 1]]


def test_another_threshold_may_be_given(save):
    assert BinaryMask(threshold=100)(save([0, 99, 100, 255])).tolist() == [[0, 0, 1, 1]]


def test_the_grey_rim_of_an_interpolated_mask_becomes_sharp(save):
    sharp = np.zeros((8, 8), np.uint8)
    sharp[2:6, 2:6] = 255
    soft = cv2.resize(sharp, (32, 32), interpolation=cv2.INTER_LINEAR)
    assert len(np.unique(soft)) > 5
    assert np.unique(BinaryMask()(save(soft))).tolist() == [0, 1]


def test_the_noise_of_a_jpeg_mask_is_removed(save):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 8:24] = 255
    path = save(mask, "mask.jpg")
    assert len(np.unique(np.array(Image.open(path)))) > 2
    assert (BinaryMask()(path) == mask // 255).all()


def test_a_mask_of_zeros_and_ones_is_class_indices_and_not_all_background(save):
    assert BinaryMask()(save([0, 1, 1, 0])).tolist() == [[0, 1, 1, 0]]


@pytest.mark.parametrize("value", [0, 255])
def test_a_uniform_mask_is_background_or_foreground(save, value):
    assert (BinaryMask()(save([value] * 4)) == value // 255).all()


def test_a_mask_below_the_threshold_is_an_error_and_not_all_background(save):
    with pytest.raises(SegDistillError, match=r"up to 38, all below the threshold 128; pass threshold=38"):
        BinaryMask()(save([0, 38, 38, 0]))


def test_a_faint_empty_jpeg_is_background(save):
    noise = np.random.default_rng(0).integers(0, 6, (16, 16))
    assert BinaryMask()(save(noise, "mask.jpg")).max() == 0


def test_1_beside_255_is_an_error_since_it_may_mean_two_things(save):
    path = save([0, 1, 255])
    with pytest.raises(SegDistillError, match=r"1 and 255.*threshold=None for class indices.*threshold=1"):
        BinaryMask()(path)
    assert IndexMask(2)(path).tolist() == [[0, 1, 255]]
    assert BinaryMask(threshold=1)(path).tolist() == [[0, 1, 1]]


@pytest.mark.parametrize("color", [[255, 0, 0], [0, 0, 1], [130, 120, 125]])
def test_channels_that_differ_on_what_is_foreground_are_an_error(save, color):
    with pytest.raises(SegDistillError, match="is in colour, and its channels differ on what is foreground"):
        BinaryMask()(save([[[0, 0, 0], color]]))


def test_noise_of_colour_and_an_even_alpha_are_no_error(save):
    noisy = [[[0, 2, 1, 255], [255, 253, 254, 255], [90, 91, 89, 255]]]
    assert BinaryMask()(save(noisy)).tolist() == [[0, 1, 0]]
    assert BinaryMask()(save([[[0, 5, 2], [1, 3, 0]]], "empty.jpg")).tolist() == [[0, 0]]


def test_a_dark_shape_in_one_channel_is_an_error_and_not_all_background(save):
    with pytest.raises(SegDistillError, match="values up to 100, all below the threshold"):
        BinaryMask()(save([[[0, 0, 0], [0, 0, 100]]]))


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_shape_in_the_alpha_channel_is_an_error(tmp_path, mode):
    hidden = np.zeros((2, 2, 4), np.uint8)
    hidden[0, :, 3] = 255
    Image.fromarray(hidden).convert(mode).save(tmp_path / "a.png")
    with pytest.raises(SegDistillError, match="keeps its shape, or some of it, in the alpha channel"):
        BinaryMask()(tmp_path / "a.png")


def test_16_bit_and_bilevel_masks_are_read(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), np.array([[0, 65535, 20000]], np.uint16))
    assert BinaryMask()(tmp_path / "deep.png").tolist() == [[0, 1, 0]]
    cv2.imwrite(str(tmp_path / "rim.png"), np.array([[0, 65535, 255]], np.uint16))
    assert BinaryMask()(tmp_path / "rim.png").tolist() == [[0, 1, 0]]
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "bits.png")
    assert BinaryMask()(tmp_path / "bits.png").tolist() == [[0, 1]]


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bit_masks_in_colour_are_read_whole(tmp_path, suffix):
    path = str(tmp_path / f"deep.{suffix}")
    for white in (1, 255, 65535):
        for alpha in ([], [65535]):
            cv2.imwrite(path, np.array([[[0] * 3 + alpha, [white] * 3 + alpha]], np.uint16))
            assert BinaryMask()(Path(path)).tolist() == [[0, 1]]
    cv2.imwrite(path, np.array([[[0, 0, 0, 0], [0, 0, 0, 65535]]], np.uint16))
    with pytest.raises(SegDistillError, match="keeps its shape, or some of it, in the alpha channel"):
        BinaryMask()(Path(path))


@pytest.fixture
def deep(tmp_path):
    def write(values, dtype):
        Image.fromarray(np.array([values], dtype)).save(tmp_path / "deep.tif")
        return tmp_path / "deep.tif"

    return write


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        (
            [0, 256],
            np.uint16,
            r"up to 256 \(1 in 8 bit\), all below the threshold 128; pass threshold=1 or lower",
        ),
        ([0, 300], np.uint16, r"up to 300 \(1 in 8 bit\), all below"),
        ([0, 0.006], np.float32, r"up to 0.006 \(2 in 8 bit\), all below"),
        ([0, 0.001], np.float32, r"up to 0.001 \(0 in 8 bit\), all below the threshold 128; scale them up"),
    ],
)
def test_a_mask_that_8_bits_would_blacken_is_an_error(deep, values, dtype, message):
    with pytest.raises(SegDistillError, match=rf"deep\.tif' has values {message}"):
        BinaryMask()(deep(values, dtype))
    assert BinaryMask(threshold=1)(deep([0, 256], np.uint16)).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("values", "dtype", "strange"),
    [
        ([-1, 0], np.int32, "-1"),
        ([1, -1], np.int32, "-1"),
        ([0, 70000], np.int32, "70000"),
        ([0, 1.5], np.float32, "1.5"),
        ([-0.5, 1], np.float32, "-0.5"),
        ([1, np.nan], np.float32, "nan"),
        ([255, np.inf], np.float32, "inf"),
    ],
)
def test_what_is_no_grey_value_is_an_error(deep, values, dtype, strange):
    path = deep(values, dtype)
    with pytest.raises(
        SegDistillError, match=rf"deep\.tif' holds {strange}, which is no grey .* from 0 to 255"
    ):
        BinaryMask()(path)


def test_float_masks_are_shares_of_white_or_whole_greys(deep):
    assert BinaryMask()(deep([0, 0.4, 0.6, 1], np.float32)).tolist() == [[0, 0, 1, 1]]
    assert BinaryMask()(deep([0, 100, 128, 255], np.float32)).tolist() == [[0, 0, 1, 1]]
    assert BinaryMask()(deep([0, 0], np.float32)).tolist() == [[0, 0]]


@pytest.mark.parametrize(("value", "dtype"), [(0.5, np.float32), (np.nan, np.float32), (-1, np.int32)])
def test_what_is_no_class_index_is_an_error(deep, value, dtype):
    with pytest.raises(SegDistillError, match=rf"deep\.tif' holds the value {value}; allowed are 0 to 1"):
        IndexMask(2)(deep([0, 1, value], dtype))


def test_a_negative_value_may_be_the_ignored_one(deep):
    assert IndexMask(2, ignore_index=-1)(deep([0, 1, -1], np.int32)).tolist() == [[0, 1, 255]]


def test_palette_masks_are_read_by_index(tmp_path):
    picture = Image.fromarray(np.array([[0, 2, 1, 255]], np.uint8))
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0] + [0] * 756 + [224, 224, 192])
    picture.save(tmp_path / "voc.png")
    assert IndexMask(3)(tmp_path / "voc.png").tolist() == [[0, 2, 1, 255]]


def test_a_binary_palette_mask_is_read_by_grey_level_or_else_by_index(tmp_path):
    picture = Image.fromarray(np.array([[0, 1]], np.uint8))
    for name, palette, expected in (
        ("white first", [255, 255, 255, 0, 0, 0], [[1, 0]]),
        ("colours", [0, 0, 0, 100, 0, 0], [[0, 1]]),
    ):
        picture.putpalette(palette)
        picture.save(tmp_path / f"{name}.png")
        assert BinaryMask()(tmp_path / f"{name}.png").tolist() == expected


def test_equal_channels_count_as_one(save):
    assert IndexMask(3)(save([[[0, 0, 0], [2, 2, 2]]])).tolist() == [[0, 2]]


def test_an_unexpected_value_is_an_error_with_file_value_and_what_is_allowed(save):
    with pytest.raises(
        SegDistillError,
        match=r"mask\.png' holds the value 7; allowed are 0 to 2 and 255 for ignored pixels\.",
    ):
        IndexMask(3)(save([0, 1, 7]))


def test_without_an_ignored_value_255_is_unexpected(save):
    with pytest.raises(SegDistillError, match=r"holds the values 3, 255; allowed are 0 to 2\."):
        IndexMask(3, ignore_index=None)(save([0, 3, 255]))


def test_another_ignored_value_becomes_255(save):
    assert IndexMask(11, ignore_index=11)(save([0, 10, 11])).tolist() == [[0, 10, 255]]


def test_a_colour_mask_is_no_class_index(save):
    with pytest.raises(SegDistillError, match="in colour where class indices belong"):
        IndexMask(3)(save([[[0, 0, 0], [0, 1, 0]]]))


def test_the_rule_follows_from_classes_and_threshold():
    two = ("background", "polyp")
    assert rule_for(two, 128, 255) == BinaryMask(128)
    assert rule_for(two, None, 255) == IndexMask(2)
    assert rule_for(("road", "car", "sky"), 128, 11) == IndexMask(3, 11)
    with pytest.raises(SegDistillError, match="name the background too"):
        rule_for(("polyp",), 128, 255)


@pytest.mark.parametrize("threshold", [0, 256])
def test_a_threshold_outside_of_grey_values_is_an_error(threshold):
    with pytest.raises(SegDistillError, match=f"threshold={threshold} is not a grey value"):
        BinaryMask(threshold)
