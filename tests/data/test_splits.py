"""A split keeps groups whole, is the same everywhere, and notices when its data changes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segdistill.core import SegDistillError
from segdistill.data import FolderSet, Samples, Split, carve
from segdistill.data.samples import digest


class Names(Samples):
    """A data set of names only."""

    def __init__(self, groups, sources=None):
        self.ids = [f"{index:03d}" for index in range(len(groups))]
        self.groups = list(groups)
        self.sources = sources or [""] * len(groups)
        self.classes = ("background", "foreground")

    def hashes(self):
        return {name: digest([name]) for name in self.ids}


@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(st.sampled_from("abcdefghij"), min_size=2, max_size=60).filter(lambda g: len(set(g)) > 1),
    fraction=st.floats(0.05, 0.6),
    seed=st.integers(0, 99),
)
def test_no_group_is_on_both_sides_and_nothing_is_lost(groups, fraction, seed):
    data = Names(groups)
    split = carve(data, fraction=fraction, seed=seed)
    group = dict(zip(data.ids, data.groups, strict=True))
    assert not {group[name] for name in split.train} & {group[name] for name in split.val}
    assert sorted(split.train + split.val) == data.ids
    assert split.train
    assert split.val
    largest = max(groups.count(name) for name in groups)
    assert abs(len(split.val) - fraction * len(groups)) <= largest


def test_a_large_share_of_two_groups_leaves_one_to_train_on():
    for seed in range(20):
        split = carve(Names(list("accccc")), fraction=0.59, seed=seed)
        assert {len(split.train), len(split.val)} == {1, 5}


def test_single_images_are_split_to_the_image():
    data = Names([str(index) for index in range(200)])
    assert len(carve(data, fraction=0.1).val) == 20


def test_the_split_does_not_depend_on_the_order_of_samples():
    data, shuffled = Names("aabbccddee"), Names("aabbccddee")
    shuffled.ids, shuffled.groups = shuffled.ids[::-1], shuffled.groups[::-1]
    assert carve(data, fraction=0.3) == carve(shuffled, fraction=0.3)


def test_another_seed_gives_another_split():
    data = Names([str(index) for index in range(50)])
    assert carve(data, seed=0).val != carve(data, seed=1).val


def test_sources_keep_their_proportions():
    groups = [str(index) for index in range(100)]
    data = Names(groups, ["big"] * 80 + ["small"] * 20)
    val = carve(data, fraction=0.1).val
    assert sum(int(name) < 80 for name in val) == 8
    assert len(val) == 10


def test_a_group_that_spans_sources_stays_whole():
    data = Names("aabbccdd", ["one", "two"] * 4)
    split = carve(data, fraction=0.25)
    assert len(split.val) == 2
    assert data.groups[data.ids.index(split.val[0])] == data.groups[data.ids.index(split.val[1])]


def test_one_group_cannot_be_split():
    with pytest.raises(SegDistillError, match=r"3 images in 1 group\(s\) cannot be split by group"):
        carve(Names("aaa"))


@pytest.mark.parametrize("fraction", [0, 1, -0.1])
def test_a_fraction_that_leaves_a_side_empty_is_an_error(fraction):
    with pytest.raises(SegDistillError, match=f"fraction of {fraction} leaves one side empty"):
        carve(Names("abc"), fraction=fraction)


@pytest.fixture
def pairs(folder):
    for name in "abcdef":
        folder.pair(name)
    return folder


def test_a_stored_split_is_read_back_and_gives_the_same_parts(pairs, tmp_path):
    split = carve(FolderSet(pairs.root), fraction=0.34)
    split.save(tmp_path / "new" / "split.json")
    again = Split.load(tmp_path / "new" / "split.json")
    assert again == split
    train, val = again.apply(FolderSet(pairs.root))
    assert (train.ids, val.ids) == (split.train, split.val)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["split.json"]


def test_a_split_names_the_file_that_changed(pairs):
    split = carve(FolderSet(pairs.root), fraction=0.34)
    pairs.mask("c.png", np.zeros((12, 16), np.uint8))
    with pytest.raises(SegDistillError, match="'c' changed since the split was carved"):
        split.apply(FolderSet(pairs.root))


def test_a_split_names_what_is_missing_or_new(pairs):
    split = carve(FolderSet(pairs.root), fraction=0.34)
    pairs.pair("new")
    with pytest.raises(SegDistillError, match="holds 'new', which the split does not name"):
        split.apply(FolderSet(pairs.root))
    for kind in ("images", "masks"):
        (pairs.root / kind / "b.png").unlink()
    with pytest.raises(SegDistillError, match="names 'b', which the data set lacks"):
        split.apply(FolderSet(pairs.root))


def test_what_is_no_split_file_is_an_error(tmp_path):
    with pytest.raises(SegDistillError, match="no split file"):
        Split.load(tmp_path / "split.json")
    for content in ("{", json.dumps({"train": []}), "[]"):
        (tmp_path / "split.json").write_text(content)
        with pytest.raises(SegDistillError, match=r"split\.json' is not a split file"):
            Split.load(tmp_path / "split.json")
