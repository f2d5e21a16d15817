from __future__ import annotations

import cv2
import numpy as np
import pytest

from segdistill import viz
from segdistill.core import SegDistillError


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


@pytest.fixture
def mask():
    mask = np.zeros((40, 60), np.uint8)
    mask[10:30, 15:45] = 1
    return mask


def test_an_overlay_colours_the_mask_and_nothing_else(image, mask):
    drawn = viz.overlay(image, mask, color=(255, 0, 0), opacity=1)
    assert (drawn[mask == 1] == (255, 0, 0)).all()
    assert (drawn[mask == 0] == image[mask == 0]).all()


def test_an_opacity_of_zero_leaves_the_image(image, mask):
    np.testing.assert_array_equal(viz.overlay(image, mask, opacity=0), image)


@pytest.mark.parametrize("draw", [viz.overlay, viz.contour, viz.overlay_labels])
def test_drawing_leaves_its_input_alone(draw, image, mask):
    before = image.copy(), mask.copy()
    draw(image, mask)
    np.testing.assert_array_equal(image, before[0])
    np.testing.assert_array_equal(mask, before[1])


def test_boolean_masks_and_masks_of_255_draw_the_same(image, mask):
    for other in (mask.astype(bool), mask * 255):
        np.testing.assert_array_equal(viz.overlay(image, mask), viz.overlay(image, other))
        np.testing.assert_array_equal(viz.contour(image, mask), viz.contour(image, other))


def test_a_contour_follows_the_edge_and_leaves_the_inside(image, mask):
    drawn = viz.contour(image, mask, color=(0, 255, 0), thickness=1)
    edge = drawn[10, 15:45].astype(int)
    assert (edge[:, 1] > edge[:, 0] + 100).all()
    np.testing.assert_array_equal(drawn[15:25, 20:40], image[15:25, 20:40])


def test_a_contour_shows_holes(image, mask):
    mask[18:22, 28:32] = 0
    drawn = viz.contour(np.zeros_like(image), mask, thickness=1)
    assert drawn[17:23, 27:33].any()


def test_an_empty_mask_draws_nothing(image, mask):
    for draw in (viz.overlay, viz.contour, viz.overlay_labels):
        np.testing.assert_array_equal(draw(image, np.zeros_like(mask)), image)


def test_an_error_map_tells_hits_from_excess_from_misses():
    drawn = viz.error_map(np.array([[1, 1, 0, 0]]), np.array([[1, 0, 1, 0]]))
    assert [tuple(p) for p in drawn[0]] == [
        viz.TRUE_POSITIVE,
        viz.FALSE_POSITIVE,
        viz.FALSE_NEGATIVE,
        (0, 0, 0),
    ]


def test_an_error_map_dims_the_image_to_grey_where_nothing_is(image, mask):
    drawn = viz.error_map(mask, mask, image=image)
    outside = drawn[mask == 0].astype(int)
    assert (outside.max(axis=1) == outside.min(axis=1)).all()
    assert outside.mean() < image[mask == 0].mean()


def test_the_colours_of_errors_differ_in_lightness_or_hue_under_red_green_blindness():
    # Machado et al. 2009, full deuteranopia, in linear RGB.
    see = np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]])
    colors = (viz.TRUE_POSITIVE, viz.FALSE_POSITIVE, viz.FALSE_NEGATIVE)
    seen = [see @ (np.array(color) / 255) ** 2.2 for color in colors]
    for i in range(3):
        assert np.abs(seen[i] - seen[i - 1]).max() > 0.25


def test_a_heatmap_runs_from_dark_to_light():
    drawn = viz.heatmap(np.array([[0, 0.5, 1]], np.float32))
    light = drawn.astype(int).sum(axis=2)[0]
    assert light[0] < light[1] < light[2]


def test_a_heatmap_refuses_logits_and_stacks():
    with pytest.raises(SegDistillError, match=r"in \[0, 1\], got -3 to 2"):
        viz.heatmap(np.array([[-3.0, 2.0]]))
    with pytest.raises(SegDistillError, match=r"in \[0, 1\], got nan"):
        viz.heatmap(np.array([[np.nan, 0.2]]))
    with pytest.raises(SegDistillError, match=r"shape \(H, W\), got \(2, 4, 4\)"):
        viz.heatmap(np.zeros((2, 4, 4)))


@pytest.mark.parametrize("classes", [1, 2, 8, 9, 21, 40])
def test_every_class_has_a_colour_of_its_own(classes):
    colors = viz.palette(classes)
    assert len(np.unique(colors, axis=0)) == classes
    assert tuple(colors[0]) == (0, 0, 0)


def test_ignored_pixels_are_white_among_the_classes_and_clear_on_an_image(image):
    mask = np.zeros((40, 60), np.uint8)
    mask[0, 0], mask[1, 1] = 255, 2
    assert tuple(viz.colorize(mask)[0, 0]) == viz.WHITE
    drawn = viz.overlay_labels(image, mask, opacity=1)
    assert tuple(drawn[0, 0]) == tuple(image[0, 0])
    assert tuple(drawn[1, 1]) == tuple(viz.palette(3)[2])


def test_a_panel_brings_images_to_one_height_below_their_captions(image):
    small = np.zeros((20, 20), np.uint8)
    drawn = viz.panel([image, small], ["a", "b"], height=40, gap=4)
    assert drawn.shape[1] == 60 + 40 + 3 * 4
    assert drawn.shape[0] > 40 + 2 * 4
    np.testing.assert_array_equal(drawn[-44:-4, 4:64], image)


def test_a_caption_is_dark_on_white_and_stays_above_its_image(image):
    bare, captioned = viz.panel([image]), viz.panel([image], ["Dice 0.91 é"])
    strip = captioned[: captioned.shape[0] - bare.shape[0]]
    assert strip.min() < 128 < strip.max() == 255


def test_a_long_caption_is_cut_to_its_image():
    drawn = viz.panel([np.zeros((50, 80, 3), np.uint8)], ["word " * 40])
    assert (drawn[:, -8:] == 255).all()


def test_old_opencv_gets_plain_letters(image, monkeypatch):
    modern = viz.panel([image], ["ue"])
    monkeypatch.delattr(cv2, "FontFace", raising=False)
    np.testing.assert_array_equal(viz.panel([image], ["üé"]), modern)


def test_a_sheet_fills_up_narrow_rows(image):
    drawn = viz.sheet([image, image[:, :30]])
    assert drawn.shape == (80, 60, 3)
    assert (drawn[40:, 30:] == 255).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda i, m: viz.overlay(i, m[1:]),
            r"mask of shape \(39, 60\) does not fit the image of shape \(40, 60\)",
        ),
        (lambda i, m: viz.contour(i, m.T), "does not fit the image"),
        (lambda i, m: viz.error_map(m, m.T), "truth of shape .* does not fit the prediction"),
        (lambda i, m: viz.error_map(m, m, image=i[1:]), "prediction of shape .* does not fit the image"),
        (lambda i, m: viz.overlay(i, m, opacity=1.5), r"opacity must be in \[0, 1\], got 1\.5"),
        (lambda i, m: viz.overlay(i / 255, m), "needs a uint8 image .* got float64"),
        (lambda i, m: viz.panel([]), "at least one image"),
        (lambda i, m: viz.panel([i], ["a", "b"]), "1 images needs as many titles, got 2"),
        (lambda i, m: viz.sheet([]), "at least one row"),
    ],
)
def test_a_mistake_gets_a_sentence(call, message, image, mask):
    with pytest.raises(SegDistillError, match=message):
        call(image, mask)
