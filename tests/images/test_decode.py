"""Every kind of image file becomes the same arrays, and a broken one is named."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.images.decode import image_size, read_image, read_values


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)


@pytest.mark.parametrize("name", ["a.png", "a.PNG", "a.tif", "a.TIFF", "a.bmp"])
def test_lossless_files_give_back_their_pixels_as_rgb(tmp_path, pixels, name):
    Image.fromarray(pixels).save(tmp_path / name)
    assert (read_image(tmp_path / name) == pixels).all()
    assert image_size(tmp_path / name) == (10, 14)


def test_jpeg_is_read_in_rgb_order(tmp_path):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 250
    Image.fromarray(red).save(tmp_path / "a.jpg")
    assert (np.abs(read_image(tmp_path / "a.jpg").astype(int) - red) < 8).all()


def test_alpha_is_dropped(tmp_path, pixels):
    alpha = np.full((10, 14, 1), 7, np.uint8)
    Image.fromarray(np.concatenate([pixels, alpha], axis=2)).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == pixels).all()


def test_16_bit_grey_is_scaled_to_8(tmp_path):
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values)
    assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [0, 1, 128, 255]


@pytest.mark.parametrize(("highest", "warned"), [(4095, 1), (8191, 1), (8192, 0), (0, 0)])
def test_12_bits_in_16_are_warned_of_once_per_folder_and_never_stretched(tmp_path, highest, warned):
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.array([[0, highest]], np.uint16))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        read = [read_image(tmp_path / f"{name}.png") for name in ("a", "b")]
    assert len(said) == warned
    assert all(str(each.message).startswith(f"A 16-bit image in '{tmp_path}' stays") for each in said)
    assert [image.max() for image in read] == [(highest + 128) // 257] * 2


def test_16_bit_colour_tiff_is_scaled_to_8_in_rgb_order(tmp_path, pixels):
    cv2.imwrite(str(tmp_path / "a.tif"), pixels[..., ::-1].astype(np.uint16) * 257)
    assert (read_image(tmp_path / "a.tif") == pixels).all()
    assert image_size(tmp_path / "a.tif") == (10, 14)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P"])
def test_grey_and_palette_images_become_rgb(tmp_path, pixels, mode):
    picture = Image.fromarray(pixels).convert(mode)
    picture.save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png") == np.array(picture.convert("RGB"))).all()


def test_a_palette_with_transparency_does_not_warn(tmp_path, pixels):
    Image.fromarray(pixels).convert("P").save(tmp_path / "a.png", transparency=bytes([0, 128, 255]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_image(tmp_path / "a.png").shape == (10, 14, 3)


def test_the_exif_orientation_is_applied_to_pixels_and_size_alike(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape[:2] == image_size(tmp_path / "a.jpg") == (14, 10)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.bmp"])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path, pixels, name):
    picture = cv2.resize(pixels, (140, 100))
    Image.fromarray(picture).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SegDistillError, match=rf"Cannot read '.*{name}'.*replace the file"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"], ids=["empty", "html"])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_what_is_no_image_is_an_error_that_says_so(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SegDistillError, match=rf"{name}': it is not an image"):
        read_image(tmp_path / name)
    with pytest.raises(SegDistillError, match="it is not an image"):
        image_size(tmp_path / name)


def test_a_vanished_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(SegDistillError, match=r"gone\.png' does not exist"):
        read_image(tmp_path / "gone.png")


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 3)])
def test_pixels_of_unknown_range_are_refused(tmp_path, dtype, shape):
    cv2.imwrite(str(tmp_path / "a.tif"), np.full(shape, 200, dtype))
    with pytest.raises(
        SegDistillError,
        match=rf"a\.tif': {dtype.__name__} pixels have no known range; save it with 8 or 16 bit, scaled so",
    ):
        read_image(tmp_path / "a.tif")


def test_16_bit_colour_png_is_rounded_to_8(tmp_path):
    values = np.array([[[0, 300, 65535]], [[200, 257, 128]]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values[..., ::-1])
    assert read_image(tmp_path / "a.png").tolist() == [[[0, 1, 255]], [[1, 1, 0]]]


def test_a_palette_gives_indices_and_a_grey_one_greys_where_asked(tmp_path):
    picture = Image.fromarray(np.array([[0, 1, 2]], np.uint8))
    picture.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    picture.save(tmp_path / "colours.png")
    assert read_values(tmp_path / "colours.png", grey_palettes=True).tolist() == [[0, 1, 2]]
    picture.putpalette([255, 255, 255, 0, 0, 0, 128, 128, 128])
    picture.save(tmp_path / "greys.png")
    assert read_values(tmp_path / "greys.png").tolist() == [[0, 1, 2]]
    assert read_values(tmp_path / "greys.png", grey_palettes=True).tolist() == [[255, 0, 128]]
