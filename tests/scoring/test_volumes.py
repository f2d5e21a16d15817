import struct
import sys

import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.metrics.volumes import KITS19, SLICE_2D
from segdistill.scoring import score
from segdistill.scoring.nifti import DamagedError, first_non_finite
from segdistill.scoring.pairs import Pair
from segdistill.scoring.values import UnreadableError
from segdistill.scoring.volumes import VolumeReader, read_volume

LABELS = np.zeros((3, 4, 5), np.uint8)
LABELS[1, 2, 3] = 2


@pytest.fixture
def volume(tmp_path):
    """Write a volume (z, y, x) with a geometry (x, y, z); returns its path."""
    itk = pytest.importorskip("SimpleITK")

    def save(
        name,
        values=LABELS,
        *,
        spacing=(0.7, 0.8, 5.0),
        origin=(-100.0, 3.0, 9.0),
        flip=1,
        direction=None,
        ending="nii.gz",
    ):
        image = itk.GetImageFromArray(values)
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        image.SetDirection(direction or (flip, 0, 0, 0, flip, 0, 0, 0, 1))
        path = tmp_path / f"{name}.{ending}"
        itk.WriteImage(image, str(path))
        return path

    return save


def read(predicted, target):
    return VolumeReader()(Pair("case", predicted, target))


def test_a_pair_has_labels_and_spacing_in_the_same_order(volume):
    sample = read(volume("pred"), volume("gt"))
    assert sample.predicted.dtype == np.uint8
    assert sample.target.shape == (3, 4, 5)
    assert sample.target[1, 2, 3] == 2
    assert sample.spacing == pytest.approx((5.0, 0.8, 0.7))


def test_axial_slices_come_first_whichever_way_a_file_has_its_axes(volume):
    lits = read(volume("pred"), volume("gt"))
    # KiTS: slices are the first axis of the file, x, and the last in memory.
    turned = {
        "values": np.moveaxis(LABELS, 0, 2).copy(),
        "spacing": (5.0, 0.7, 0.8),
        "direction": (0, 0, -1, 0, -1, 0, -1, 0, 0),
    }
    kits = read(volume("pred_kits", **turned), volume("gt_kits", **turned))
    assert (kits.target == lits.target).all()
    assert (kits.predicted == lits.predicted).all()
    assert kits.spacing == pytest.approx((5.0, 0.8, 0.7))


def test_slice_2d_scores_what_the_axial_slices_show_in_both_layouts(volume):
    true, predicted = np.zeros((4, 5, 6), np.uint8), np.zeros((4, 5, 6), np.uint8)
    true[1, 2:4, 2:4] = 1
    predicted[1, 2:4, 1:3] = 1
    predicted[3, 2:4, 1:3] = 1  # made up in a slice that shows nothing
    axes = {"spacing": (5.0, 0.7, 0.8), "direction": (0, 0, -1, 0, -1, 0, -1, 0, 0)}
    for name, turn, options in (("lits", np.copy, {}), ("kits", lambda v: np.moveaxis(v, 0, 2).copy(), axes)):
        pair = Pair(
            "case",
            volume(f"p_{name}", turn(predicted), **options),
            volume(f"t_{name}", turn(true), **options),
        )
        sample, metric = VolumeReader()(pair), SLICE_2D.metric()
        metric.update([sample.predicted], [sample.target], ["case"])
        assert metric.compute()["dice"] == pytest.approx((2 * 2 + 1) / (4 + 4 + 1))


def test_probabilities_reach_a_protocol_that_cuts_them(volume):
    values = LABELS.astype(np.float32) * 0.25  # 0.5 where the label is 2
    pair = Pair("case", volume("pred", values), volume("gt", LABELS // 2))
    assert VolumeReader(probabilities=True)(pair).predicted[1, 2, 3] == 0.5
    folders = pair.predicted.parent / "p", pair.predicted.parent / "t"
    for folder, file in zip(folders, (pair.predicted, pair.target), strict=True):
        folder.mkdir()
        file.rename(folder / "case.nii.gz")
    [scores] = score(*folders, [SLICE_2D])
    assert scores.sets["all"]["dice"] == 1
    with pytest.raises(SegDistillError, match="holds 0.5, which is no label"):
        score(*folders, [SLICE_2D, KITS19])


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.int64])
def test_whole_numbers_are_labels_in_any_type(volume, kind):
    assert (read(volume("pred", LABELS.astype(kind)), volume("gt")).predicted == LABELS).all()


@pytest.mark.parametrize("ending", ["mha", "nii", "nii.gz"])
@pytest.mark.parametrize(
    ("value", "said"), [(0.25, "0.25"), (np.nan, "nan"), (np.inf, "inf"), (2.0**40, "1.09")]
)
def test_probabilities_are_no_labels(volume, value, said, ending):
    values = LABELS.astype(np.float32)
    values[2, 3, 4] = value
    predicted = volume("pred", values, ending=ending)
    with pytest.raises(SegDistillError, match=rf"pred.{ending}' holds {said}.*, which is no label"):
        read(predicted, volume("gt"))


@pytest.mark.parametrize(
    ("geometry", "what"),
    [
        ({"spacing": (0.7, 0.8, 2.5)}, r"spacing \(0.7, 0.8, 2.5\), its mask \(0.7, 0.8, 5\)"),
        ({"origin": (-100.0, 3.0, 0.0)}, "origin"),
        ({"flip": -1}, "direction"),
    ],
)
def test_volumes_on_different_grids_are_not_compared(volume, geometry, what):
    with pytest.raises(SegDistillError, match=f"pred.nii.gz' has the {what}"):
        read(volume("pred", **geometry), volume("gt"))


def test_volumes_of_different_sizes_are_not_compared(volume):
    with pytest.raises(SegDistillError, match=r"has the size \(5, 4, 2\), its mask \(5, 4, 3\)"):
        read(volume("pred", LABELS[:2]), volume("gt"))


def test_what_a_header_rounds_does_not_matter(volume):
    read(volume("pred", spacing=(0.70001, 0.8, 5.0)), volume("gt"))


def test_a_picture_is_no_volume(volume):
    with pytest.raises(SegDistillError, match="no volume of three dimensions"):
        read_volume(volume_of_two(volume))


def volume_of_two(volume):
    itk = pytest.importorskip("SimpleITK")
    path = volume("gt").with_name("flat.nii.gz")
    itk.WriteImage(itk.GetImageFromArray(LABELS[0]), str(path))
    return path


@pytest.mark.parametrize(
    ("ending", "damage", "why"),
    [
        ("nii.gz", lambda content: content[:-9], "its data end early, so it was not copied"),
        ("nii", lambda content: content[:-9], "its data end early"),
        ("nii.gz", lambda content: content[:40], "its data end early"),
        ("nii.gz", lambda content: content[:-8] + bytes(8), "its data are damaged"),
        ("nii.gz", lambda _: b"no volume at all", "it has no NIfTI header"),
        ("nii.gz", lambda _: b"", "it has no NIfTI header"),
        ("nii.gz", lambda _: b"version https://git-lfs.github.com/spec/v1\noid 1", "a pointer of Git LFS"),
        ("mha", lambda _: b"version https://git-lfs.github.com/spec/v1\noid 1", "a pointer of Git LFS"),
        ("nrrd", lambda content: content[:40], "hit end of header"),
    ],
)
def test_a_volume_that_is_damaged_or_not_all_there_is_no_volume(volume, ending, damage, why):
    path = volume("pred", ending=ending)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UnreadableError, match=rf"Cannot read '.*pred.{ending}': .*{why}"):
        read_volume(path)


@pytest.mark.parametrize("order", "<>")
def test_both_versions_of_nifti_in_both_orders_of_bytes_are_looked_through(tmp_path, order):
    shape = (3, 2, 2, 1)
    first = bytearray(352) + np.array([0, 0, 0, np.inf], f"{order}f4").tobytes()
    struct.pack_into(f"{order}i36x4h", first, 0, 348, *shape)
    struct.pack_into(f"{order}2h34xf", first, 70, 16, 32, 352)
    second = bytearray(544) + np.array([0, 0, 0, np.inf], f"{order}f8").tobytes()
    struct.pack_into(f"{order}i8x2h4q", second, 0, 540, 64, 64, *shape)
    struct.pack_into(f"{order}q", second, 168, 544)
    for name, content in (("one", first), ("two", second)):
        path = tmp_path / f"{name}.nii"
        path.write_bytes(content)
        assert first_non_finite(path) == np.inf
        path.write_bytes(content[:-1])
        with pytest.raises(DamagedError, match="end early"):
            first_non_finite(path)


def test_without_simpleitk_a_sentence_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(SegDistillError, match=r"not installed: pip install segdistill\[medical\]"):
        read_volume(tmp_path / "case.nii.gz")
