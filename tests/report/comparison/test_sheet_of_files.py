"""The picture sheet of files that were scored: images, class indices, volumes."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from pictures import holds
from segdistill.core import SegDistillError
from segdistill.metrics import find_protocol
from segdistill.report import compare
from segdistill.report.comparison.backgrounds import open_backgrounds
from segdistill.report.comparison.pictures import Album
from segdistill.report.comparison.sheet import COLORS, sheet
from segdistill.report.comparison.slices import choose_slice, grey
from segdistill.report.comparison.views import open_view
from segdistill.scoring import score
from segdistill.scoring.results import write_scores
from segdistill.tasks import Multiclass
from toys import Discs

pytestmark = pytest.mark.usefixtures("no_stripes")

NAMES = ("u", "v", "w")
INK = (120, 20, 200)  # of images


def disc(x, *, shape=(40, 60), value=255):
    mask = np.zeros(shape, np.uint8)
    return cv2.circle(mask, (x, shape[0] // 2), 9, value, -1)


@pytest.fixture
def files(tmp_path):
    """Images and masks, and the maps of two networks: A is right, B is off by more and more."""
    for index, name in enumerate(NAMES):
        arrays = {"gt/masks": disc(20), "a": disc(21), "b": disc(22 + 3 * index)}
        for folder, array in {**arrays, "gt/images": np.full((40, 60, 3), INK[::-1], np.uint8)}.items():
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(tmp_path / folder / f"{name}.png"), array)
    return tmp_path


def scores(root, side, *, protocol="dice@0.5", task=None):
    found = score(root / side, root / "gt", [find_protocol(protocol)], task=task)
    return write_scores(found, root / f"{side}.json")[0]


def both(root, **options):
    return compare(scores(root, "a", **options), scores(root, "b", **options), draws=100)


@pytest.mark.parametrize("protocol", ["dice@0.5", "pranet-py"])
def test_maps_are_outlined_on_the_images_beside_their_masks(files, protocol):
    drawn = sheet(both(files, protocol=protocol), height=80)
    assert drawn.shape[1] == 4 * 120 + 5 * 8
    assert all(holds(drawn, color) for color in (INK, *COLORS.values()))


def test_without_images_the_outlines_stand_on_black(files):
    shutil.rmtree(files / "gt" / "images")
    drawn = sheet(both(files), height=80)
    assert drawn.shape[1] == 3 * 120 + 4 * 8
    assert not holds(drawn, INK)
    assert all(holds(drawn, color) for color in ((0, 0, 0), *COLORS.values()))


def test_images_that_are_named_have_to_be_those(files):
    found = both(files)
    shutil.move(files / "gt" / "images", files / "pictures" / "all" / "images")
    assert holds(sheet(found, images=files / "pictures", height=80), INK)
    cv2.imwrite(str(files / "pictures/all/images/w.png"), np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(SegDistillError, match=r"The image .*w.png' is 9x9, its true mask 40x60"):
        sheet(found, images=files / "pictures")
    (files / "pictures/all/images/w.png").unlink()
    with pytest.raises(SegDistillError, match=r"pictures.all.images' holds no image of 'w'; name one that"):
        sheet(found, images=files / "pictures")
    with pytest.raises(SegDistillError, match="There is no folder .*nowhere"):
        sheet(found, images=files / "nowhere")


def test_a_network_and_files_stand_on_one_sheet(files, scored):
    discs = Discs(3)
    for sample in discs:
        for folder, array in {"gt/masks": sample["mask"], "a": sample["mask"]}.items():
            cv2.imwrite(str(files / folder / f"{sample['id']}.png"), np.asarray(array) * np.uint8(255))
    for name in NAMES:
        for folder in ("gt/masks", "a"):
            (files / folder / f"{name}.png").unlink()
    run = scored("b-run", {"all": dict.fromkeys(discs.ids, 0.5)})
    found = compare(scores(files, "a"), run, draws=100)
    drawn = sheet(found, {"all": discs}, predictors={str(run): Everything()}, height=64)
    assert drawn.shape[1] == 4 * 64 + 5 * 8
    assert holds(drawn, COLORS["a"])


class Everything:
    """A network that marks all but a rim."""

    def __call__(self, image):
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[3:-3, 3:-3] = 1
        return type("Prediction", (), {"mask": mask})


def test_files_that_are_there_no_more_are_refused(files):
    found = both(files)
    (files / "b" / "w.png").unlink()
    with pytest.raises(
        SegDistillError, match=r"1 mask .'w'. in .* without a prediction: the files of all that .*b.json"
    ):
        sheet(found)
    shutil.rmtree(files / "b")
    with pytest.raises(
        SegDistillError, match=r"There is no folder .*b': the files of all that .*b.json scored. Comp"
    ):
        sheet(found)
    for name in NAMES[1:]:
        for folder in ("gt/masks", "a"):
            (files / folder / f"{name}.png").unlink()
    shutil.copytree(files / "a", files / "b")
    with pytest.raises(SegDistillError, match="a' holds no prediction of 'w' any more; score again"):
        sheet(found)


def test_scores_that_do_not_say_of_what_they_are_refused(files):
    found = both(files)
    content = json.loads((files / "b.json").read_text())
    (files / "b.json").write_text(json.dumps({**content, "files": {"all": {"pred": 5, "gt": "x"}}}))
    with pytest.raises(SegDistillError, match=r"b.json is damaged: its files are \{'pred': 5"):
        sheet(compare(files / "a.json", files / "b.json", draws=100))
    del content["files"]
    (files / "b.json").write_text(json.dumps(content))
    with pytest.raises(
        SegDistillError, match=r"b.json does not say what was scored.*; score it again, or leave --sheet"
    ):
        sheet(compare(files / "a.json", files / "b.json", draws=100))
    assert found.differences  # which needs no files


def test_runs_that_were_scored_by_other_masks_are_refused(files):
    a = scores(files, "a")
    cv2.imwrite(str(files / "gt" / "masks" / "w.png"), disc(40))
    shutil.copytree(files / "gt", files / "true")
    found = compare(a, scores(files, "b"), draws=100)
    cv2.imwrite(str(files / "gt" / "masks" / "w.png"), disc(20))
    content = (files / "b.json").read_text().replace(str(files / "gt"), str(files / "true"))
    (files / "b.json").write_text(content)
    found = compare(a, files / "b.json", draws=100)
    with pytest.raises(
        SegDistillError, match="scored against different true masks of 'w': score all by the same"
    ):
        sheet(found)


def test_class_indices_are_outlined_in_the_colours_of_their_classes(files):
    for folder, x in (("gt/masks", 20), ("a", 21), ("b", 30)):
        for name in NAMES:
            indices = disc(x, value=2)
            indices[:4] = 1
            indices[-2:] = 255 if folder == "gt/masks" else 1
            cv2.imwrite(str(files / folder / f"{name}.png"), indices)
    task = Multiclass(("background", "kidney", "tumour"))
    found = both(files, protocol="miou", task=task)
    record = json.loads((files / "a.json").read_text())["files"]["all"]
    assert (record["classes"], record["ignored"]) == (["background", "kidney", "tumour"], 255)
    [table] = found.sides.b.runs[0].tables.values()
    picture = album(found)("u", lost=True)
    assert table.files["classes"] == record["classes"]
    assert {*np.unique(picture.truth), *np.unique(picture.b[0])} == {0, 1, 2}
    assert not np.any([picture.truth[-1], picture.b[0][-1]])
    drawn = sheet(found, height=80)
    assert holds(drawn, (230, 159, 0))


def album(found, images=None):
    sides = ([open_view(run, "all", {}, {}) for run in side.runs] for side in (found.sides.a, found.sides.b))
    runs = (*found.sides.a.runs, *found.sides.b.runs)
    return Album(*sides, open_backgrounds(found.differences[0], runs, images))


@pytest.fixture
def volumes(tmp_path):
    """Two cases whose files have their slices first, x; B misses all of slice 4 and a little of slice 2."""
    itk = pytest.importorskip("SimpleITK")
    for case in ("case_0", "case_1"):
        truth = np.zeros((6, 20, 10), np.uint8)
        truth[1:5, 4:16, 2:8] = 1
        a, b = truth.copy(), truth.copy()
        a[3], b[4], b[2, :6] = 0, 0, 0
        scan = np.where(truth, 60.0, 0.0) - 1000 * (np.arange(10) > 8)
        for folder, array in {"gt": truth, "a": a, "b": b, "scans": scan.astype(np.int16)}.items():
            image = itk.GetImageFromArray(np.moveaxis(array, 0, 2))
            image.SetSpacing((5.0, 1.5, 0.5))
            image.SetDirection((0, 0, -1, 0, -1, 0, -1, 0, 0))
            (tmp_path / folder).mkdir(exist_ok=True)
            itk.WriteImage(image, str(tmp_path / folder / f"{case}.nii.gz"))
    return tmp_path


def test_of_a_volume_the_slice_that_tells_is_shown_as_wide_as_it_is(volumes):
    found = both(volumes, protocol="slice-2d")
    picture = album(found)("case_0", lost=True)
    assert picture.name == "case_0, slice 4 of 6"
    assert (picture.truth.shape, picture.image) == ((20, 10), None)
    assert picture.pixel == pytest.approx(1.5 / 0.5)
    drawn = sheet(found, images=volumes / "scans", height=90)
    width = round(90 * picture.pixel * 10 / 20)
    assert drawn.shape[1] == 4 * width + 5 * 8
    assert holds(drawn, COLORS["a"])


def test_the_slice_is_where_b_is_wrong_beyond_a_or_wrong_at_all():
    truth = np.zeros((4, 3, 5), np.uint8)
    truth[:2] = 1
    nothing, right = np.zeros_like(truth), truth.copy()
    half = right.copy()
    half[1] = 0
    assert choose_slice(truth, [half], [nothing], lost=True) == 0
    assert choose_slice(truth, [right], [half], lost=False) == 1
    truth[2, 0] = 1
    assert choose_slice(truth, [truth], [truth], lost=True) in (0, 1)  # nobody is wrong: the most to find


def test_a_ct_is_shown_in_its_soft_tissue_window_and_the_rest_by_percentiles():
    scan = np.zeros((2, 4, 4), np.float32)
    scan[0, 0], scan[0, 1] = -160, 240
    assert grey(scan, 0)[1].tolist() == [[255] * 3] * 4
    scan[1] = -1000
    assert grey(scan, 0)[:3, 0, 0].tolist() == [0, 255, 102]
    assert not grey(np.full((1, 4, 4), np.nan), 0).any()


def test_a_scan_that_lies_elsewhere_or_the_other_way_round_is_refused(volumes):
    itk = pytest.importorskip("SimpleITK")
    look, file = album(both(volumes, protocol="slice-2d"), volumes / "scans"), volumes / "scans/case_0.nii.gz"
    itk.WriteImage(itk.Flip(itk.ReadImage(str(file)), (False, True, False)), str(file))
    with pytest.raises(
        SegDistillError, match=r"image '.*case_0.nii.gz' has the (origin|direction) \(.* its mask \("
    ):
        look("case_0", lost=False)


def test_scans_are_found_by_name_by_case_or_in_the_folder_of_their_case(volumes):
    scans = volumes / "scans"
    (scans / "case_1").mkdir()
    shutil.move(scans / "case_0.nii.gz", scans / "volume-0.nii.gz")
    shutil.move(scans / "case_1.nii.gz", scans / "case_1" / "imaging.nii.gz")
    shutil.copy(volumes / "gt" / "case_0.nii.gz", scans / "segmentation-0.nii.gz")
    look = album(both(volumes, protocol="slice-2d"), scans)
    assert [look(case, lost=False).image.max() for case in ("case_0", "case_1")] == [140, 140]
