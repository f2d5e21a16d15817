"""Synthetic frames are the same everywhere, varied, and neither empty nor trivial."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.data import FolderSet, SyntheticSet, synthetic


@pytest.fixture(scope="module")
def frames():
    return SyntheticSet(60, size=(96, 120))


def test_a_frame_depends_on_seed_and_index_only(frames):
    assert torch.equal(SyntheticSet(3, size=(96, 120))[2]["image"], frames[2]["image"])
    assert not torch.equal(SyntheticSet(3, size=(96, 120), seed=1)[2]["image"], frames[2]["image"])
    assert not torch.equal(frames[1]["image"], frames[2]["image"])


def test_some_frames_are_empty_and_most_are_not(frames):
    areas = np.array([frames[index]["mask"].float().mean() for index in range(60)])
    assert 1 <= (areas == 0).sum() <= 14
    assert 0.03 < np.median(areas) < 0.3
    assert areas.max() < 0.8


def test_polyps_differ_little_from_the_tissue_around_them(frames):
    """Brightness alone must not solve the task, but polyps must be there to be seen."""
    contrasts = []
    for index in range(40):
        sample = frames[index]
        image, inside = sample["image"].float(), sample["mask"].bool()
        visible = image.sum(0) > 60
        if inside.any():
            contrasts.append((image[:, inside].mean(1) - image[:, visible & ~inside].mean(1)).abs().max())
    assert 4 < torch.stack(contrasts).median() < 60


def test_frames_of_one_scene_form_a_group(frames):
    assert frames.groups[0] == frames.groups[3] != frames.groups[4]
    assert len(set(frames.ids)) == 60


def test_what_is_written_is_read_back_the_same(tmp_path):
    frames = SyntheticSet(3, size=(40, 48))
    back = FolderSet(frames.write(tmp_path / "new"))
    assert back.ids == frames.ids
    for one, two in zip(frames, back, strict=True):
        assert torch.equal(one["image"], two["image"])
        assert torch.equal(one["mask"], two["mask"])


def test_the_sets_of_one_training_are_disjoint():
    data = synthetic(train=4, val=4, test=4, size=(40, 48))
    images = [sample["image"] for part in (data.train, data.val, data.tests["synthetic"]) for sample in part]
    assert len(images) == 12
    assert len({image.numpy().tobytes() for image in images}) == 12
    assert data.augment(data.train[0])["image"].shape == (3, 40, 48)
    data.check()


def test_a_set_without_frames_is_an_error():
    with pytest.raises(SegDistillError, match="count=0, .* makes no frames"):
        SyntheticSet(0)
