import sys

import numpy as np
import pytest

from segdistill.core import SegDistillError
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
        name, values=LABELS, *, spacing=(0.7, 0.8, 5.0), origin=(-100.0, 3.0, 9.0), flip=1, ending="nii.gz"
    ):
        image = itk.GetImageFromArray(values)
        image.SetSpacing(spacing)
        image.SetOrigin(origin)
        image.SetDirection((flip, 0, 0, 0, flip, 0, 0, 0, 1))
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


@pytest.mark.parametrize("kind", [np.float32, np.int16, np.int64])
def test_whole_numbers_are_labels_in_any_type(volume, kind):
    assert (read(volume("pred", LABELS.astype(kind)), volume("gt")).predicted == LABELS).all()


@pytest.mark.parametrize(
    ("value", "said"), [(0.25, "0.25"), (np.nan, "nan"), (np.inf, "inf"), (2.0**40, "1.09")]
)
def test_probabilities_are_no_labels(volume, value, said):
    values = LABELS.astype(np.float32)
    values[0, 0, 0] = value
    predicted = volume("pred", values, ending="mha")  # a NIfTI reader makes NaN 0 by itself
    with pytest.raises(SegDistillError, match=rf"pred.mha' holds {said}.*, which is no label"):
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


def test_a_broken_volume_is_named(volume, tmp_path):
    path = volume("pred")
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UnreadableError, match="Cannot read '.*pred.nii.gz'"):
        read_volume(path)


def test_without_simpleitk_a_sentence_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(SegDistillError, match=r"not installed: pip install segdistill\[medical\]"):
        read_volume(tmp_path / "case.nii.gz")
