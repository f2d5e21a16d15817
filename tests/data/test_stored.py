"""The decoded cache gives the same pixels, is never half-written, and is made anew when its sources change."""

from __future__ import annotations

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.data import FolderSet, Part, Stored, SyntheticSet
from segdistill.data.resize import resize_image, resize_mask


@pytest.fixture
def pairs(folder):
    for index, name in enumerate(("a", "b", "c")):
        folder.pair(name, size=(12 + index, 16))
    return folder


def test_stored_samples_are_those_of_the_source(pairs, tmp_path):
    source = FolderSet(pairs.root)
    stored = Stored(source, tmp_path / "cache")
    assert (stored.ids, stored.groups, stored.classes) == (source.ids, source.groups, source.classes)
    assert stored.hashes() == source.hashes()
    for one, two in zip(source, stored, strict=True):
        assert one["id"] == two["id"]
        assert torch.equal(one["image"], two["image"])
        assert torch.equal(one["mask"], two["mask"])
    assert torch.equal(stored[-1]["image"], source[-1]["image"])


def test_sizes_are_known_without_decoding(pairs, tmp_path, monkeypatch):
    source = FolderSet(pairs.root)
    sets = (
        source,
        Stored(source, tmp_path / "cache"),
        Part(source, ["a", "b", "c"]),
        SyntheticSet(3, size=(40, 48)),
    )
    native = [[each[index]["mask"].shape for index in range(3)] for each in sets]
    for each in sets:
        monkeypatch.setattr(type(each), "arrays", None)
    assert [each.sizes() for each in sets] == native


def test_later_uses_do_not_decode(pairs, tmp_path, monkeypatch):
    Stored(FolderSet(pairs.root), tmp_path / "cache")
    monkeypatch.setattr("segdistill.data.folder.read_image", lambda path: pytest.fail("decoded again"))
    Stored(FolderSet(pairs.root), tmp_path / "cache")[0]


def test_a_size_is_stored_resized(pairs, tmp_path):
    sample = Stored(FolderSet(pairs.root), tmp_path, size=(8, 6))[2]
    assert sample["image"].shape == (3, 8, 6)
    assert sample["mask"].unique().tolist() == [0, 1]


def test_changed_sources_make_a_new_cache(pairs, tmp_path):
    before = Stored(FolderSet(pairs.root), tmp_path)
    pairs.mask("a.png", np.zeros((12, 16), np.uint8))
    after = Stored(FolderSet(pairs.root), tmp_path)
    assert before[0]["mask"].max() == 1
    assert after[0]["mask"].max() == 0


def test_sizes_thresholds_and_parts_do_not_share_a_cache(pairs, tmp_path):
    source = FolderSet(pairs.root)
    caches = [
        Stored(source, tmp_path),
        Stored(source, tmp_path, size=(8, 8)),
        Stored(FolderSet(pairs.root, threshold=64), tmp_path),
        Stored(Part(source, ["a", "b"]), tmp_path),
        Stored(SyntheticSet(2, size=(32, 32)), tmp_path),
        Stored(SyntheticSet(2, size=(32, 32), seed=1), tmp_path),
    ]
    assert len({cache.path for cache in caches}) == len(caches)


def test_a_broken_source_leaves_no_cache_and_all_are_counted(pairs, tmp_path):
    for name in ("a", "c"):
        (pairs.root / "images" / f"{name}.png").write_bytes(b"broken")
    with pytest.raises(SegDistillError, match=r"2 of 3 samples cannot be used \('a', 'c'\)"):
        Stored(FolderSet(pairs.root), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_full_disk_is_one_sentence_and_leaves_no_cache(pairs, tmp_path, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("segdistill.data.stored._sync", full)
    with pytest.raises(SegDistillError, match=r"Cannot store .*: No space left on device; choose another"):
        Stored(FolderSet(pairs.root), tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error(pairs, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SegDistillError, match=r"Cannot store decoded images in '.*file'"):
        Stored(FolderSet(pairs.root), tmp_path / "file")


def test_a_damaged_cache_is_refused(pairs, tmp_path):
    stored = Stored(FolderSet(pairs.root), tmp_path)
    whole = (stored.path / "masks.u8").read_bytes()
    (stored.path / "masks.u8").write_bytes(whole[:-5])
    with pytest.raises(SegDistillError, match=r"masks\.u8' has \d+ bytes instead of \d+; delete '"):
        Stored(FolderSet(pairs.root), tmp_path)
    (stored.path / "index.json").write_text("{")
    with pytest.raises(SegDistillError, match="has no readable index; delete it"):
        Stored(FolderSet(pairs.root), tmp_path)


def test_who_writes_second_uses_the_first_ones_cache(pairs, tmp_path, monkeypatch):
    """Two that start at once: both write in full, one renames first, both read the same."""
    other = Stored(FolderSet(pairs.root), tmp_path / "other").path
    cache = tmp_path / "cache"

    def overtaken(part, dataset, size):
        shutil.copytree(other, cache / other.name)

    monkeypatch.setattr("segdistill.data.stored._fill", overtaken)
    assert Stored(FolderSet(pairs.root), cache)[0]["id"] == "a"
    assert [path.name for path in cache.iterdir()] == [other.name]


def test_it_travels_to_workers_without_its_map(pairs, tmp_path):
    stored = Stored(FolderSet(pairs.root), tmp_path)
    first = stored[0]["image"]
    assert len(pickle.dumps(stored)) < 5000
    assert torch.equal(pickle.loads(pickle.dumps(stored))[0]["image"], first)


def test_threads_may_read_at_once(pairs, tmp_path):
    stored = Stored(FolderSet(pairs.root), tmp_path)
    with ThreadPoolExecutor(4) as pool:
        names = list(pool.map(lambda index: stored[index % 3]["id"], range(30)))
    assert names == ["a", "b", "c"] * 10


def test_masks_shrink_without_a_shift_against_their_image():
    mask = np.zeros((90, 120), np.uint8)
    cv2.circle(mask, (60, 45), 30, 1, -1)
    image = np.dstack([mask * 255] * 3)
    small = resize_mask(mask, (30, 40))
    assert ((resize_image(image, (30, 40))[..., 0] >= 128) != small).mean() < 0.01
    columns = np.nonzero(small)[1]
    assert (columns.min() + columns.max()) / 2 == pytest.approx(19.5, abs=0.5)


def test_images_are_averaged_when_they_shrink():
    stripes = np.tile(np.array([0, 200], np.uint8), (8, 4))
    assert np.unique(resize_image(np.dstack([stripes] * 3), (4, 4))).tolist() == [100]
