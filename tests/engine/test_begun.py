"""A run goes on with the data that it was begun with, or not at all."""

import json

import pytest

from segdistill.core import SegDistillError
from segdistill.data import Augment, Data, SyntheticSet, carve
from segdistill.engine import begun, run
from toys import Discs


@pytest.fixture
def begin(tmp_path):
    """Begin a run on some data, and return its folder."""

    def begin(data):
        folder = tmp_path / "run"
        run.create(folder, config={"student": "x"}, model={}, facts=begun.facts(data, None))
        if data.split is not None:
            data.split.save(folder / "split.json")
        return folder

    return begin


def frames(count=8, seed=0):
    return SyntheticSet(count, size=(32, 32), seed=seed)


def carved(count=8, *, seed=0, split=0):
    whole = frames(count, seed)
    chosen = carve(whole, fraction=0.5, seed=split)
    learn, select = chosen.apply(whole)
    return Data(learn, select, split=chosen)


def own(count=8, *, prefix="", augment=None):
    train = Discs(count)
    train.ids = [prefix + name for name in train.ids]
    return Data(train, Discs(4, seed=1), augment=augment)


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        (carved(), carved(seed=1), "other images: 'frame_00000', .* and 5 more changed, went or came since"),
        (carved(), carved(12), "other images: 'frame_00008', .* and 1 more changed"),
        (carved(split=0), carved(split=1), "another split of these images"),
        (Data(frames(), frames(4)), Data(frames(seed=1), frames(4)), "other training images"),
        (Data(frames(), frames(4)), Data(frames(), frames(4, seed=1)), "other validation images"),
        (own(8), own(12), "8 training images, not 12"),
        (own(), own(prefix="new_"), "other training images"),
        (own(augment=Augment(32)), own(augment=Augment(48)), r"augment=Augment\(.*32.*, not Augment\(.*48"),
        (own(augment=Augment(32)), own(), "augment=Augment.*, not None"),
    ],
)
def test_other_data_is_refused_and_the_same_is_not(before, now, message, begin):
    folder = begin(before)
    begun.check_data(folder, before)
    with pytest.raises(SegDistillError, match=f"begun with {message}.* Resume with the same data, or take"):
        begun.check_data(folder, now)


def test_what_an_older_run_did_not_write_down_is_believed(begin):
    folder = begin(own())
    env = json.loads((folder / "env.json").read_text())
    (folder / "env.json").write_text(json.dumps({k: v for k, v in env.items() if k != "data"}))
    begun.check_data(folder, own(12))
    begun.check_data(folder, carved())
    (folder / "env.json").unlink()  # killed before it was written
    begun.check_data(folder, own())


def test_an_augmentation_that_does_not_show_its_options_is_believed(begin):
    begun.check_data(begin(own(augment=lambda sample: sample)), own(augment=Augment(32)))


def test_nothing_is_read_for_a_run_that_has_finished(begin, monkeypatch):
    folder = begin(Data(frames(), frames(4)))
    (folder / "metrics.json").write_text("{}")
    monkeypatch.setattr(SyntheticSet, "hashes", None)
    begun.check_data(folder, Data(frames(), frames(4)))
