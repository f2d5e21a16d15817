"""What may be uploaded, and the sentence for everything else."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from segdistill import SegDistillError
from segdistill.app import Limits, read_upload

PIXELS = np.arange(6 * 8 * 3, dtype=np.uint8).reshape(6, 8, 3)


def saved(path, pixels=PIXELS, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.jpg"])
def test_the_usual_formats_are_read(tmp_path, name):
    image = read_upload(saved(tmp_path / name), Limits())
    assert (image.shape, image.dtype) == ((6, 8, 3), np.uint8)
    if name != "a.jpg":
        assert (image == PIXELS).all()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (PIXELS[..., 0], PIXELS[..., :1].repeat(3, 2)),
        (np.dstack([PIXELS, np.full((6, 8), 9, np.uint8)]), PIXELS),
        (PIXELS[..., 0].astype(np.uint16) * 257, PIXELS[..., :1].repeat(3, 2)),
    ],
    ids=["grey", "alpha", "16 bit"],
)
def test_grey_alpha_and_16_bit_become_rgb(tmp_path, pixels, expected):
    assert (read_upload(saved(tmp_path / "a.png", pixels), Limits()) == expected).all()


def test_colour_of_16_bit_that_pillow_does_not_know_is_read(tmp_path):
    path = tmp_path / "a.tif"
    cv2.imwrite(str(path), PIXELS[..., ::-1].astype(np.uint16) * 257)
    assert (read_upload(path, Limits()) == PIXELS).all()
    with pytest.raises(SegDistillError, match="megapixels"):
        read_upload(path, Limits(megapixels=1e-5))


def test_a_suffix_says_nothing_the_content_does(tmp_path):
    path = saved(tmp_path / "a.png", format="JPEG")
    assert read_upload(path, Limits()).shape == (6, 8, 3)


def test_a_text_with_the_name_of_an_image_is_refused(tmp_path):
    (tmp_path / "notes.png").write_text("not a picture")
    with pytest.raises(SegDistillError, match=r"^'notes.png' is not an image that can be read: choose a PNG"):
        read_upload(tmp_path / "notes.png", Limits())


def test_an_animated_gif_is_refused(tmp_path):
    frames = [Image.fromarray(PIXELS + shift) for shift in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(SegDistillError, match="'a.gif' is an animated GIF: save the picture you mean as PNG"):
        read_upload(tmp_path / "a.gif", Limits())


def test_pages_of_a_tiff_are_refused_rather_than_all_but_the_first_ignored(tmp_path):
    frames = [Image.fromarray(PIXELS) for _ in range(3)]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with pytest.raises(SegDistillError, match="'a.tif' holds 3 pictures"):
        read_upload(tmp_path / "a.tif", Limits())


@pytest.mark.parametrize(
    ("side", "said"),
    [(10_000, "has 100 megapixels, and 24 are the limit"), (20_000, "has far too many pixels")],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_of_100_megapixels_is_refused_by_its_header(tmp_path, side, said):
    png = bytearray(saved(tmp_path / "huge.png").read_bytes())
    png[16:24] = struct.pack(">II", side, side)
    png[29:33] = struct.pack(">I", zlib.crc32(png[12:29]))
    (tmp_path / "huge.png").write_bytes(png)
    with pytest.raises(SegDistillError, match=f"'huge.png' {said}"):
        read_upload(tmp_path / "huge.png", Limits())


def test_a_large_and_an_empty_file_are_refused(tmp_path):
    (tmp_path / "none.png").touch()
    with pytest.raises(SegDistillError, match="'none.png' is empty"):
        read_upload(tmp_path / "none.png", Limits())
    with pytest.raises(SegDistillError, match="'a.bmp' has 0 MB, and 0 are the limit"):
        read_upload(saved(tmp_path / "a.bmp"), Limits(megabytes=0))


def test_a_truncated_image_is_called_by_the_name_the_user_knows(tmp_path):
    path = saved(tmp_path / "3f2a.jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:900])
    with pytest.raises(SegDistillError, match=r"Cannot read 'scan.jpg': ") as caught:
        read_upload(path, Limits(), name="scan.jpg")
    assert str(tmp_path) not in str(caught.value)


def test_many_classes_allow_fewer_pixels():
    assert Limits().for_classes(2).megapixels == 24
    assert Limits().for_classes(150).megapixels == 1.3
