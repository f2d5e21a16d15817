"""One prediction, many thresholds: masks, areas and pictures follow without the network."""

from __future__ import annotations

import numpy as np
import pytest

from segdistill import SegDistillError
from segdistill.app import Look, draw
from segdistill.app.drawing import agreement, difference


def test_the_first_mask_is_the_predictors_own(bright, image):
    found = bright(image)
    assert found.at(0.5) is found.prediction


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.9])
def test_the_area_is_what_lies_above_the_threshold(bright, image, threshold):
    (area,) = bright(image).areas(threshold)
    expected = int((image[..., 0] / 255 > threshold).sum())
    assert (area.name, area.pixels) == ("polyp", expected)
    assert area.percent == pytest.approx(100 * expected / (40 * 60))


def test_where_classes_exclude_each_other_no_threshold_decides(thirds, image):
    found = thirds(image)
    assert not found.has_threshold
    assert found.at(0.9) is found.prediction
    assert [(a.name, a.pixels) for a in found.areas(0.9)] == [("kidney", 800), ("tumour", 800)]


def test_classes_that_overlap_are_measured_each(layers, image):
    found = layers(image)
    assert found.has_threshold
    assert [(a.name, a.percent) for a in found.areas()] == [("bright", pytest.approx(140 / 3)), ("left", 50)]
    assert len({area.color for area in found.areas()}) == 2


@pytest.mark.parametrize("kind", ["bright", "thirds", "layers"])
def test_what_a_screen_shows_is_small_and_says_the_same(kind, image, request):
    found = request.getfixturevalue(kind)(np.repeat(np.repeat(image, 5, 0), 5, 1))
    small = found.shrunk(60)
    assert small.image.shape == (40, 60, 3)
    assert small.prediction.mask.shape[-2:] == small.prediction.probability.shape[-2:] == (40, 60)
    for one, other in zip(small.areas(), found.areas(), strict=True):
        assert one.percent == pytest.approx(other.percent, abs=2)


def test_an_image_that_fits_the_screen_is_left_alone(bright, image):
    found = bright(image)
    assert found.shrunk(60) is found


def test_the_map_of_a_class_is_chosen_by_name(thirds, image):
    found = thirds(image)
    assert found.probability("tumour")[0, -1] == found.probability("kidney")[0, 30] == np.float32(0.8)
    assert found.probability()[0, 30] == np.float32(0.8)


@pytest.mark.parametrize("style", ["Overlay", "Contour", "Both"])
@pytest.mark.parametrize("kind", ["bright", "thirds", "layers"])
def test_a_style_changes_pixels_of_the_classes_only(kind, style, image, request):
    found = request.getfixturevalue(kind)(image)
    drawn = draw(found, Look(style=style))
    assert drawn.shape == image.shape
    assert (drawn != image).any()
    assert (drawn[:, 5] == image[:, 5]).all() or kind == "layers"


def test_without_opacity_a_filled_mask_and_a_lone_line_vanish(bright, image):
    for style in ("Overlay", "Contour"):
        assert (draw(bright(image), Look(opacity=0, style=style)) == image).all()


def test_an_unknown_style_names_the_right_one():
    with pytest.raises(SegDistillError, match="Unknown style 'Countour'. Did you mean 'Contour'"):
        Look(style="Countour")


def test_two_networks_that_agree_have_a_dice_of_one(bright, layers, image):
    one, other = bright(image), layers(image)
    assert agreement(one, one, 0.5) == 1
    assert agreement(one, one, 0.99) == 1, "both find nothing"
    assert agreement(one, other, 0.5) == pytest.approx(2 * 28 / (28 + 58)), "columns, all in the other's 58"
    gap = difference(one, other, 0.5)
    assert gap.shape == image.shape
    assert len({tuple(gap[0, column]) for column in (10, 30, 31)}) == 3, "other only, and the dim image"
