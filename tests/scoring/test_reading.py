import cv2
import numpy as np
import pytest
from PIL import Image

from segdistill.core import SegDistillError
from segdistill.metrics import DICE_AT_HALF, find_protocol
from segdistill.scoring import score
from segdistill.tasks import Multiclass

MASK = [[0, 255], [255, 0]]
MAP = [[0, 100], [200, 255]]


@pytest.fixture
def masked(write):
    write("gt/a.png", MASK)


def refusal(seen, reads, **options):
    with pytest.raises(SegDistillError) as caught:
        seen(reads, **options)
    return str(caught.value)


def test_a_map_of_eight_bits_is_passed_on_as_it_is(seen, write, masked):
    write("pred/a.png", MAP)
    rows, notes = seen("map")
    assert rows["a"]["predicted"].dtype == np.uint8
    assert rows["a"]["predicted"].tolist() == MAP
    assert rows["a"]["target"].tolist() == MASK
    assert notes == ["a trap", "from compute"]


@pytest.mark.parametrize("scale", [1, 65535])
def test_a_map_of_other_integers_keeps_its_meaning(seen, write, masked, scale):
    write("pred/a.png", np.array([[0, scale], [scale, 0]], np.uint8 if scale == 1 else np.uint16))
    rows, _ = seen("map")
    values = rows["a"]["predicted"]
    assert (values / (255 if values.dtype == np.uint8 else 1)).tolist() == [[0, 1], [1, 0]]


def test_a_faint_map_is_no_mask_of_ones_and_that_is_noted(seen, write, masked):
    write("pred/a.png", [[0, 1], [0, 1]])
    write("pred/b.png", MAP)
    write("gt/b.png", MASK)
    rows, notes = seen("map")
    assert rows["a"]["predicted"].max() == 1
    assert "Predictions of 0 and 1 among greys (1): 1 is a faint grey, and no foreground." in notes
    assert seen("mask")[0]["a"]["predicted"].max() == 0


def test_ones_that_count_as_foreground_are_noted(seen, write, masked):
    write("pred/a.png", [[0, 1], [0, 1]])
    rows, notes = seen("map")
    assert rows["a"]["predicted"].max() == 255
    assert "Predictions of 0 and 1 (1): 1 is foreground, since no file holds more." in notes


def test_floats_stay_floats(seen, write, masked):
    values = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    write("pred/a.npy", values[None])
    assert seen("map")[0]["a"]["predicted"].tolist() == values.tolist()
    assert seen("mask")[0]["a"]["predicted"].tolist() == [[0, 0], [0, 1]]


def test_a_float_tiff_is_a_map_too(seen, write, masked):
    write("pred/a.tif", np.array([[0.0, 0.25], [0.5, 1.0]], np.float32))
    assert seen("map")[0]["a"]["predicted"].max() == 1.0


@pytest.mark.parametrize("value", [np.nan, -0.5, 3.75, np.inf])
@pytest.mark.parametrize("name", ["a.npy", "a.tif"])
def test_floats_that_are_no_probabilities_are_named_with_the_file(seen, write, masked, value, name):
    write(f"pred/{name}", np.array([[0.5, value], [0, 0]], np.float32))
    said = refusal(seen, "map")
    assert f"{name}' holds {value}, where probabilities from 0 to 1 belong" in said


def test_an_array_of_another_shape_is_refused(seen, write, masked):
    write("pred/a.npy", np.zeros((2, 4, 4), np.float32))
    assert "a.npy' holds (2, 4, 4); a map or mask is (height, width)" in refusal(seen, "map")


def test_bools_are_masks(seen, write, masked):
    write("pred/a.npy", np.array(MASK, bool))
    assert seen("map")[0]["a"]["predicted"].tolist() == MASK
    assert seen("mask")[0]["a"]["predicted"].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("extra", [[], [255]], ids=["RGB", "RGBA"])
def test_of_colour_maps_channel_0_is_scored_where_the_originals_do_so(seen, write, masked, extra):
    write("pred/a.png", [[[v, v // 2, 0, *extra] for v in row] for row in MAP])
    rows, notes = seen("map", first_channel_of=("prediction",))
    assert rows["a"]["predicted"].tolist() == MAP
    assert "Predictions in colour (1): channel 0 was scored." in notes


@pytest.mark.parametrize("reads", ["map", "mask"])
@pytest.mark.parametrize("side", ["pred", "gt"])
def test_elsewhere_colour_is_refused_not_guessed(seen, write, masked, reads, side):
    write("pred/a.png", MASK)
    write(f"{side}/a.png", [[[v, 0, 0] for v in row] for row in MASK])
    other = {"pred": "mask", "gt": "prediction"}[side]
    said = refusal(seen, reads, first_channel_of=(other,))
    assert f"{side}/a.png' is in colour, and 'seen' does not say which channel counts" in said


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_the_colour_noise_of_a_true_mask_is_no_colour(seen, write, reads):
    write("gt/a.png", [[[2, 0, 1], [253, 255, 254]]])
    write("pred/a.png", [[0, 255]])
    rows, _ = seen(reads)
    assert (rows["a"]["target"] > 100 if reads == "map" else rows["a"]["target"]).tolist() == [[0, 1]]


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_a_dark_shape_in_one_channel_is_no_empty_mask(seen, write, masked, reads):
    write("pred/a.png", MASK)
    write("gt/a.png", [[[0, 0, v // 3] for v in row] for row in MASK])
    assert "values up to 85, all below 128" in refusal(seen, reads)


def test_the_two_evaluators_of_the_benchmark_read_colour_as_they_did():
    assert find_protocol("pranet-py").first_channel_of == ("prediction", "mask")
    assert find_protocol("pranet-matlab").first_channel_of == ("prediction",)
    assert not find_protocol("calibration").first_channel_of


def test_grey_in_three_channels_is_no_colour(seen, write, masked):
    write("pred/a.png", [[[v] * 3 for v in row] for row in MASK])
    assert seen("map")[1] == ["a trap", "from compute"]
    assert seen("mask")[0]["a"]["predicted"].tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize("grey", [0, 255])
def test_a_shape_in_the_alpha_channel_is_refused(seen, write, masked, mode, grey):
    shape = Image.fromarray(np.array([[[grey, grey, grey, v] for v in row] for row in MASK], np.uint8))
    if mode == "P":
        shape = Image.fromarray(np.array(MASK, np.uint8) // 255, "P")
        shape.putpalette([grey] * 6)
        shape.info["transparency"] = 0
    write("pred/a.png", shape if mode == "P" else shape.convert(mode))
    assert "in the alpha channel, which is not read" in refusal(seen, "map")


def test_transparency_of_the_background_alone_does_not_matter(seen, write, masked):
    write("pred/a.png", [[[v, v, v, 128 + v // 2] for v in row] for row in MASK])
    assert seen("map")[0]["a"]["predicted"].tolist() == MASK


def test_a_palette_of_greys_is_read_as_greys(seen, write, masked):
    picture = Image.new("P", (2, 2))
    picture.putpalette([0, 0, 0, 100, 100, 100, 255, 255, 255])
    picture.putdata([0, 1, 2, 1])
    write("pred/a.png", picture)
    assert seen("map")[0]["a"]["predicted"].tolist() == [[0, 100], [255, 100]]


def test_a_palette_of_colours_has_indices_not_intensities(seen, write, masked):
    picture = Image.new("P", (2, 2))
    picture.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
    picture.putdata([0, 1, 2, 1])
    write("pred/a.png", picture)
    assert "a.png' has a palette of colours" in refusal(seen, "map")
    write("gt/a.png", [[0, 1], [2, 1]])
    rows, _ = seen("mask", task=Multiclass(("background", "kidney", "tumour")))
    assert rows["a"]["predicted"].tolist() == [[0, 1], [2, 1]]


def test_greys_are_cut_at_half_for_hard_masks_and_noted(seen, write, masked):
    write("pred/a.png", [[127, 128], [0, 255]])
    rows, notes = seen("mask")
    assert rows["a"]["predicted"].tolist() == [[0, 1], [0, 1]]
    assert "Predictions with greys (1): foreground is what lies above 0.5, 128 and up in 8 bits." in notes


def test_eight_and_sixteen_bits_do_not_mix(seen, write, masked):
    write("pred/a.png", MAP)
    write("pred/b.png", np.array([[0, 40000], [0, 0]], np.uint16))
    write("gt/b.png", MASK)
    assert "b.png' holds 40000 among files that go up to 255" in refusal(seen, "map")


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_eight_bits_among_sixteen_are_not_taken_for_faint_ones(seen, write, masked, reads):
    write("pred/a.png", np.array([[0, 40000], [0, 0]], np.uint16))
    write("pred/b.png", MAP)
    write("gt/b.png", MASK)
    assert "b.png' has 8 bits among files of 16" in refusal(seen, reads)


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_another_size_is_an_error_or_is_resized_and_noted(seen, write, masked, reads):
    write("pred/a.png", np.kron(MASK, np.ones((2, 2))))
    said = refusal(seen, reads)
    assert "a.png' is 4x4, its mask 2x2" in said
    assert "--resize" in said
    rows, notes = seen(reads, resize=True)
    assert (rows["a"]["predicted"] > 0).tolist() == (np.array(MASK) > 0).tolist()
    assert "Predictions brought to the size of their masks (1): bilinearly" in notes[-1]


@pytest.mark.parametrize("resize", [False, True])
def test_a_protocol_with_a_size_of_its_own_takes_predictions_as_they_are(seen, write, masked, resize):
    write("pred/a.png", np.kron(MASK, np.ones((2, 2))))
    rows, notes = seen("map", any_size=True, resize=resize)
    assert rows["a"]["predicted"].shape == (4, 4)
    assert notes == ["a trap", "from compute"]


def test_class_indices_are_resized_to_the_nearest(seen, write):
    labels = np.array([[0, 2], [2, 0]], np.uint8)
    write("gt/a.png", np.kron(labels, np.ones((3, 3), np.uint8)))
    write("pred/a.png", labels)
    rows, notes = seen("mask", resize=True, task=Multiclass(("a", "b", "c")))
    assert (rows["a"]["predicted"] == rows["a"]["target"]).all()
    assert notes[-1].endswith("by the nearest pixel.")


def test_labels_beyond_the_classes_are_named(seen, write):
    write("gt/a.png", [[0, 2], [255, 1]])
    write("pred/a.png", [[0, 3], [1, 1]])
    task = Multiclass(("a", "b", "c"))
    assert "a.png' holds the label 3; 3 classes allow 0 to 2: see --classes" in refusal(
        seen, "mask", task=task
    )
    write("pred/a.png", [[0, 2], [255, 1]])
    assert "holds the label 255; 3 classes allow 0 to 2:" in refusal(seen, "mask", task=task)
    write("pred/a.png", [[0, 2], [2, 1]])
    assert seen("mask", task=task)[0]["a"]["target"].tolist() == [[0, 2], [255, 1]]


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_a_true_mask_that_a_cut_at_half_would_empty_is_refused(seen, write, reads):
    write("pred/a.png", MASK)
    write("gt/a.png", [[0, 11], [5, 0]])
    said = refusal(seen, reads)
    assert "a.png' has values up to 11, all below 128" in said
    assert "--classes" in said


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_a_true_mask_of_0_1_and_255_is_unclear(seen, write, reads):
    write("pred/a.png", MASK)
    write("gt/a.png", [[0, 1], [255, 0]])
    assert "a.png' holds 1 and 255" in refusal(seen, reads)


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_class_indices_with_ignored_pixels_are_not_taken_for_a_foreground_of_255(seen, write, reads):
    write("pred/a.png", [[0, 11], [5, 0]])
    write("gt/a.png", [[0, 11], [5, 255]])
    said = refusal(seen, reads)
    assert "a.png' holds 5, 11 and 255" in said
    assert "--classes" in said


@pytest.mark.parametrize("reads", ["map", "mask"])
@pytest.mark.parametrize("ignored", [255, 200])
def test_areas_of_many_classes_are_not_taken_for_greys(seen, write, reads, ignored):
    labels = np.kron([[0, 40], [ignored, 77]], np.ones((8, 8)))
    write("pred/a.png", labels)
    write("gt/a.png", labels)
    said = refusal(seen, reads)
    assert f"a.png' holds 40, 77 and {ignored}, which may mean class indices" in said


def test_a_blurred_mask_has_no_areas_and_its_greys_are_noted(seen, write):
    disc = np.zeros((64, 64), np.uint8)
    cv2.circle(disc, (32, 30), 20, 255, -1)
    write("pred/a.png", disc)
    write(
        "gt/a.png", cv2.resize(cv2.GaussianBlur(disc, (0, 0), 2), (128, 128), interpolation=cv2.INTER_CUBIC)
    )
    notes = seen("mask", resize=True)[1]
    assert "Masks with greys (1): foreground is 128 and up in 8 bits." in notes


def test_noise_of_a_file_that_was_lossy_once_is_no_class(seen, write):
    write("gt/a.png", np.kron([[0, 2], [255, 253]], np.ones((8, 8))))
    write("pred/a.png", np.kron(MASK, np.ones((8, 8))))
    assert seen("mask")[0]["a"]["target"][::8, ::8].tolist() == [[0, 0], [1, 1]]


TWO = Multiclass(("background", "polyp"))


@pytest.mark.parametrize("foreground", [1, 255])
def test_masks_of_two_classes_may_ignore_pixels(seen, write, foreground):
    write("gt/a.png", [[0, 1], [255, 1]])
    write("pred/a.png", np.array([[0, 1], [1, 0]]) * foreground)
    rows, notes = seen("mask", task=TWO)
    assert rows["a"]["predicted"].tolist() == [[0, 1], [1, 0]]
    assert rows["a"]["target"].tolist() == [[0, 1], [255, 1]]
    assert "Masks with ignored pixels (1): label 255 counts nowhere." in notes


def test_another_label_may_be_ignored(write, tmp_path):
    write("gt/a.png", [[0, 1], [2, 1]])
    write("pred/a.png", [[0, 1], [1, 1]])
    task = Multiclass(("background", "polyp"), ignore_index=2)
    [scores] = score(tmp_path / "pred", tmp_path / "gt", [DICE_AT_HALF], task=task)
    assert scores.sets["all"]["dice"] == 1


def test_foreground_is_not_taken_for_ignored(seen, write, masked):
    write("pred/a.png", MASK)
    said = refusal(seen, "mask", task=TWO)
    assert "Label 1 is in no true mask, and 255, which is ignored, in 1; leave out --classes if 255" in said


def test_a_third_class_is_no_faint_grey_beside_two(seen, write):
    write("gt/a.png", [[0, 1], [0, 1]])
    write("pred/a.png", [[0, 1], [2, 1]])
    assert "a.png' holds the label 2; 2 classes allow 0 to 1" in refusal(seen, "mask", task=TWO)


def test_protocols_of_maps_ignore_nothing_and_say_which_do(seen, write):
    write("gt/a.png", [[0, 1], [255, 1]])
    write("pred/a.png", MAP)
    assert "name a protocol that reads masks, and --classes," in refusal(seen, "map", task=TWO)


@pytest.mark.parametrize("reads", ["map", "mask"])
def test_a_soft_rim_is_no_class(seen, write, masked, reads):
    write("gt/a.png", [[1, 254], [255, 0]])
    write("pred/a.png", MASK)
    assert (seen(reads)[0]["a"]["target"] > 0).tolist() == [[False, True], [True, False]]


def test_a_faint_lossy_mask_has_nothing_to_find_in_maps_either(write, tmp_path):
    for name, mask in (("a.jpg", np.full((8, 8), 1)), ("b.png", MASK)):
        write(f"gt/{name}", mask)
        write(f"pred/{name[0]}.png", np.full(np.shape(mask), 200))
    [scores] = score(tmp_path / "pred", tmp_path / "gt", [find_protocol("pranet-py")])
    assert scores.sets["all"]["empty_images"] == 1


def test_the_noise_of_a_lossy_empty_mask_is_nothing(seen, write):
    write("pred/a.png", MASK)
    write("gt/a.jpg", np.full((8, 8), 3))
    write("pred/a.png", np.zeros((8, 8)))
    assert seen("mask")[0]["a"]["target"].max() == 0


def test_zeros_and_ones_score_like_0_and_255(write, tmp_path):
    write("gt/a.png", MASK)
    write("pred/a.png", [[0, 1], [1, 1]])
    [scores] = score(tmp_path / "pred", tmp_path / "gt", [DICE_AT_HALF])
    assert scores.sets["all"]["dice"] == 0.8
