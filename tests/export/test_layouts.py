"""Maps as the polyp projects write them."""

import cv2
import numpy as np
import pytest

from segdistill.core import SegDistillError
from segdistill.export.layouts import MapFiles

FAINT = np.array([[[0.0, 0.5 / 255, 1.5 / 255, 0.126]]], np.float32)


def written(tmp_path, layout, **options):
    MapFiles(tmp_path, layout, method="mine", **options).of_set("Kvasir")("a", FAINT)
    [path] = tmp_path.rglob("*.png")
    return path.relative_to(tmp_path).as_posix(), cv2.imread(str(path), cv2.IMREAD_UNCHANGED).tolist()


@pytest.mark.parametrize(
    ("layout", "path", "greys"),
    [
        ("pranet", "results/mine/Kvasir/a.png", [0, 0, 2, 32]),  # halves go to the even grey
        ("kdas", "result_map/mine/Kvasir/a.png", [0, 0, 2, 32]),
        ("uacanet", "snapshots/mine/Kvasir/a.png", [0, 0, 0, 0]),
    ],
)
def test_folders_names_and_greys_are_the_projects_own(tmp_path, layout, path, greys):
    assert written(tmp_path, layout) == (path, [greys])


@pytest.mark.parametrize(("layout", "greys"), [("pranet", [0, 4, 12, 255]), ("uacanet", [0, 0, 0, 255])])
def test_a_stretched_map_shows_a_polyp_whatever_the_network_says(tmp_path, layout, greys):
    assert written(tmp_path, layout, stretch=True)[1] == [greys]


def test_a_map_that_says_nothing_stays_black_when_it_is_stretched(tmp_path):
    files = MapFiles(tmp_path, "pranet", method="mine", stretch=True)
    assert files.levels(np.full((1, 2, 2), 0.7, np.float32)).tolist() == [[0, 0], [0, 0]]


def test_the_last_of_two_classes_is_the_foreground_and_more_are_refused(tmp_path):
    files = MapFiles(tmp_path, "pranet", method="mine")
    assert files.levels(np.array([[[0.9]], [[0.1]]], np.float32)).tolist() == [[26]]
    with pytest.raises(SegDistillError, match="maps show one foreground, and this network finds 3 classes"):
        files.levels(np.zeros((3, 2, 2), np.float32))


def test_what_is_there_is_not_overwritten(tmp_path):
    files = MapFiles(tmp_path, "kdas", method="mine")
    files.of_set("Kvasir")("a", FAINT)
    with pytest.raises(SegDistillError, match="holds files already. Take another --save"):
        files.of_set("Kvasir")
    with pytest.raises(SegDistillError, match="Unknown layout 'pranett'. Did you mean 'pranet'"):
        MapFiles(tmp_path, "pranett", method="mine")
