"""A real case, moved and eroded against itself: the numbers have to be what the spacing says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from segdistill.metrics.volumes import CASE_3D
from segdistill.tasks import Multiclass

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def hippocampus():
    """Labels and spacing of one case."""
    folder = Path(os.environ.get("SEGDISTILL_DATA", "")) / "Task04_Hippocampus" / "labelsTr"
    if not (files := sorted(folder.glob("*.nii.gz"))):
        pytest.skip("SEGDISTILL_DATA holds no Task04_Hippocampus")
    reader = pytest.importorskip("SimpleITK")
    image = reader.ReadImage(str(files[0]))
    return reader.GetArrayFromImage(image), image.GetSpacing()[::-1]


def score(predicted, target, spacing):
    metric = CASE_3D.metric(Multiclass(("background", "anterior", "posterior")))
    metric.update([predicted], [target], ["hippocampus"], spacing=spacing)
    return metric.compute()


def test_a_case_moved_by_two_voxels_is_two_voxels_away(hippocampus):
    target, spacing = hippocampus
    scores = score(np.roll(target, 2, axis=0), target, spacing)
    for part in ("anterior", "posterior"):
        assert 0.4 < scores[f"{part}_dice"] < 0.9
        for form in ("edge", "surfel"):
            assert spacing[0] < scores[f"{part}_hd95_{form}"] <= 2 * spacing[0]
        assert scores[f"{part}_volume_error_ml"] == 0


def test_an_eroded_case_loses_volume_and_stays_within_a_voxel(hippocampus):
    target, spacing = hippocampus
    scores = score(target * ndimage.binary_erosion(target > 0), target, spacing)
    for part in ("anterior", "posterior"):
        assert scores[f"{part}_volume_error_ml"] < 0
        assert 0.9 * min(spacing) < scores[f"{part}_hd95_edge"] < 3 * max(spacing)
        assert scores[f"{part}_nsd"] > 0.7
