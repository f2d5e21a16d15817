"""What the page says: nothing of a user's becomes markup, nothing is a folder of the server's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from predictors import Bright
from segdistill.app import Look, Model, download, words
from segdistill.app.batch import Job


def test_names_are_text_and_never_markup(bright, image):
    found = replace(bright(image), name="<img src=x>.png", classes=("background", "<b>polyp</b>"))
    page = words.facts(found, 0.5) + words.problem("<script>") + words.header([Model("<i>", Bright())])
    page += words.batch(Job(problems={"a": "<u>"}))
    assert not any(tag in page for tag in ("<img", "<b>polyp", "<script", "<b><i>", "<u>"))


def test_facts_are_area_in_percent_and_pixels_and_the_time(bright, image):
    text = words.facts(bright(np.repeat(image, 30, 0)), 0.5)
    assert "46.67 %" in text
    assert "33\u202f600" in text
    assert "60 x 1200 pixels" in text
    assert "ms per frame" in text


@pytest.mark.parametrize(
    ("name", "stem"),
    [("../../etc/passwd.png", "passwd"), ("a b;c.jpg", "a-b-c"), ("Bild.ä.tif", "Bild.ä"), ("...", "image")],
)
def test_a_download_is_named_after_the_image_and_nothing_else(bright, image, name, stem):
    assert download.stem(replace(bright(image), name=name)) == stem


def test_masks_of_classes_that_overlap_come_as_a_zip(layers, bright, image, tmp_path):
    assert download.mask(bright(image), Look(), tmp_path).name == "image_mask.png"
    assert download.mask(layers(image), Look(), tmp_path).name == "image_masks.zip"
