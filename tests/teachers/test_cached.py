"""A cached teacher says what the live one said, about these images and no others."""

from __future__ import annotations

import json
import pickle
import shutil

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2

from segdistill.core import Batch, SegDistillError
from segdistill.data import Augment, Data, FolderSet, Part, Seeded, Stored, SyntheticSet, collate, loader
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multiclass
from segdistill.teachers import Cached, Ensemble, Teacher, cache, find_or_cache, store
from toys import Discs, tiny_net

SIZE = 32


def a_teacher(seed: int = 0, **options) -> Tapped:
    return Tapped(tiny_net(norm=True, seed=seed), mean=0.4, std=0.2, **options)


def the_data(count: int = 6, augment=None, seed: int = 0) -> Data:
    train = SyntheticSet(count, size=(40, 48), seed=seed)
    return Data(train, train, augment=augment or Augment(SIZE))


@pytest.fixture
def data() -> Data:
    return the_data()


@pytest.fixture
def stored(data, tmp_path) -> Cached:
    return cache(a_teacher(), data, tmp_path / "maps", taps=["body"])


def batch_of(data: Data, cached: Cached, epoch: int = 0) -> Batch:
    samples = Seeded(data.train, data.augment, seed=5, maps=cached.maps(data))
    return collate([samples[(epoch, index)] for index in range(len(samples))])


STILL = Augment(SIZE, hflip=0, vflip=0, p_affine=0, brightness=0, contrast=0, saturation=0)


@pytest.mark.parametrize(
    ("augment", "views"),
    [(STILL, 0), (Augment(SIZE), 3), (v2.Compose([v2.RandomResizedCrop((32, 32)), v2.RandomInvert()]), 2)],
)
def test_the_cached_output_is_the_live_one_to_half_precision(augment, views, tmp_path):
    data = the_data(augment=augment)
    cached = cache(a_teacher(), data, tmp_path / "maps", taps=["body"], views=views)
    cached.tap(["body"])
    live = Teacher(a_teacher())
    live.tap(["body"])
    for epoch in range(4):
        batch = batch_of(data, cached, epoch)
        ours, theirs = cached(batch), live(batch)
        torch.testing.assert_close(ours.logits, theirs.logits, rtol=1e-3, atol=1e-4)
        torch.testing.assert_close(ours["body"], theirs["body"], rtol=1e-3, atol=1e-4)
        assert ours.logits.dtype == torch.float32


def test_views_take_turns_and_differ(tmp_path):
    data = the_data()
    cached = cache(a_teacher(), data, tmp_path / "maps", views=2)
    first, second, third = (batch_of(data, cached, epoch).image for epoch in range(3))
    assert torch.equal(first, third)
    assert not torch.equal(first, second)


def test_a_flip_moves_the_map_exactly(tmp_path):
    flipping = Augment(SIZE, hflip=1, vflip=0, p_affine=0)
    cached = cache(a_teacher(), the_data(augment=flipping), tmp_path / "maps")
    flipped = batch_of(the_data(augment=flipping), cached).teacher.logits
    still = batch_of(the_data(augment=STILL), cached).teacher.logits
    assert torch.equal(flipped, still.flip(-1))


def test_images_are_the_same_with_and_without_a_cache(data, stored):
    plain = Seeded(data.train, data.augment, seed=5)
    assert torch.equal(
        batch_of(data, stored).image, collate([plain[(0, i)] for i in range(len(plain))]).image
    )


def test_workers_read_what_this_process_reads(data, stored):
    samples = Seeded(data.train, data.augment, maps=stored.maps(data))
    here, there = (
        next(iter(loader(samples, [[(1, 0), (1, 3)]], workers=workers))).teacher.logits for workers in (0, 2)
    )
    assert torch.equal(here, there)


def test_the_map_of_files_does_not_travel_between_processes(data, stored):
    maps = stored.maps(data)
    before = maps.read("frame_00002")["logits"]
    copy = pickle.loads(pickle.dumps(maps))
    assert copy._maps == {}
    assert torch.equal(copy.read("frame_00002")["logits"], before)


def test_coarse_logits_come_back_at_the_images_size(data, tmp_path):
    cached = cache(a_teacher(), data, tmp_path / "maps", stride=4)
    assert list(cached.header.shapes["logits"]) == [1, 8, 8]
    assert cached(batch_of(data, cached)).logits.shape == (6, 1, SIZE, SIZE)


def test_only_what_is_tapped_is_read(data, stored):
    assert batch_of(data, stored).teacher.features == {}
    stored.tap(["body"])
    assert set(batch_of(data, stored).teacher.features) == {"body"}


def test_a_part_of_the_data_may_be_trained_on(data, stored):
    some = Data(the_data(4).train, data.val, augment=data.augment)
    assert len(batch_of(some, stored).ids) == 4


def test_data_without_hashes_is_known_by_its_pixels(tmp_path):
    data = Data(Discs(4), Discs(4), augment=Augment(SIZE))
    cached = cache(a_teacher(), data, tmp_path / "maps")
    with pytest.raises(SegDistillError, match=r"was made before 'disc_00'.* changed"):
        cached.maps(Data(Discs(4, seed=1), Discs(4), augment=Augment(SIZE)))


def test_an_edited_mask_leaves_the_cache_as_it_is(tmp_path):
    files = SyntheticSet(2, size=(32, 32)).write(tmp_path / "set")
    cached = cache(a_teacher(), Data(*[FolderSet(files)] * 2, augment=Augment(SIZE)), tmp_path / "maps")
    mask = min((files / "masks").iterdir())
    Image.new("L", (32, 32)).save(mask)
    edited = FolderSet(files)
    maps = cached.maps(Data(edited, edited, augment=Augment(SIZE)))
    assert set(maps.read(edited.ids[0])) == {"logits"}


def test_a_finished_cache_is_used_as_it_is(data, stored, tmp_path, monkeypatch):
    monkeypatch.setattr(Teacher, "__call__", lambda *_: pytest.fail("the teacher was asked again"))
    again = cache(a_teacher(), data, tmp_path / "maps")  # fewer taps are there too
    assert again.fingerprint() == stored.fingerprint()


def test_making_it_again_gives_the_same_fingerprint(data, stored, tmp_path):
    assert cache(a_teacher(), data, tmp_path / "b", taps=["body"]).fingerprint() == stored.fingerprint()
    assert cache(a_teacher(1), data, tmp_path / "c", taps=["body"]).fingerprint() != stored.fingerprint()


def test_an_ensemble_can_be_cached(data, tmp_path):
    ensemble = Ensemble(Teacher(a_teacher(0)), Teacher(a_teacher(1)), task=Binary(), weights=[1, 3])
    cached = cache(ensemble, data, tmp_path / "maps")
    other = Ensemble(*ensemble.teachers, task=Binary())
    with pytest.raises(SegDistillError, match="another preprocessing"):
        Cached(cached.folder, teacher=other)


class TestFolderOfCaches:
    def test_finds_what_it_made(self, data, tmp_path):
        first = find_or_cache(a_teacher(), data, tmp_path, taps=["body"])
        assert find_or_cache(a_teacher(), data, tmp_path).folder == first.folder
        assert find_or_cache(a_teacher(1), data, tmp_path).folder != first.folder
        assert find_or_cache(a_teacher(), data, tmp_path, taps=["stem"]).folder != first.folder
        assert find_or_cache(a_teacher(), the_data(augment=Augment(40)), tmp_path).folder != first.folder


class TestRefuses:
    def test_another_teacher(self, stored):
        with pytest.raises(
            SegDistillError, match=r"is of another teacher \(\w{12}\.\.\., not \w{12}\.\.\.\)"
        ):
            Cached(stored.folder, teacher=Teacher(a_teacher(1)))

    def test_another_preprocessing(self, stored):
        other = Tapped(tiny_net(norm=True), mean=0.5, std=0.2)
        with pytest.raises(SegDistillError, match=r"another preprocessing .*0\.4.*0\.5"):
            Cached(stored.folder, teacher=Teacher(other))

    @pytest.mark.parametrize(
        ("options", "match"),
        [
            ({"aliases": {"mid": "body"}}, r'"mid": "stem".*not .*"mid": "body"'),
            ({"prefix_tokens": 1}, r'"prefix_tokens": 0.*not .*"prefix_tokens": 1'),
            ({"channels_last": True}, r'"channels_last": true'),
            ({"to_logits": lambda raw: -raw}, "find_logits.*lambda"),
        ],
    )
    def test_another_layer_of_the_same_name(self, options, match, data, tmp_path):
        folder = tmp_path / "maps"
        cache(a_teacher(aliases={"mid": "stem"}), data, folder, taps=["mid"])
        other = a_teacher(**{"aliases": {"mid": "stem"}, **options})
        for ask in (
            lambda: Cached(folder, teacher=Teacher(other)),
            lambda: cache(other, data, folder, taps=["mid"]),
        ):
            with pytest.raises(SegDistillError, match=rf"another preprocessing or architecture .*{match}"):
                ask()

    def test_images_decoded_at_another_size(self, tmp_path):
        whole = SyntheticSet(4, size=(40, 48))
        one, other = (
            Data(part, part, augment=Augment(SIZE))
            for size in ((40, 40), (24, 32))
            for part in [Part(Stored(whole, tmp_path, size=size), whole.ids[:3])]
        )
        cached = cache(a_teacher(), one, tmp_path / "maps")
        for ask in (lambda: cached.maps(other), lambda: cache(a_teacher(), other, cached.folder)):
            with pytest.raises(SegDistillError, match=r"read in another way .*\(40, 40\).*not .*\(24, 32\)"):
                ask()

    def test_making_another_in_its_place(self, data, stored):
        for change, match in (
            ({"views": 2}, "another image size|another number of views"),
            ({"stride": 2}, r"another stride \(1, not 2\)"),
            ({"taps": ["stem"]}, "has no stem"),
            ({"task": Binary()}, "another task"),
        ):
            with pytest.raises(SegDistillError, match=f"({match}).*Take another folder"):
                cache(a_teacher(), data, stored.folder, **change)

    def test_other_data(self, stored):
        with pytest.raises(SegDistillError, match=r"has no 'frame_00006' and|has no 'frame_00006'"):
            stored.maps(the_data(7))
        with pytest.raises(SegDistillError, match=r"was made before .* changed.*segdistill cache"):
            stored.maps(the_data(seed=3))

    def test_more_data_than_asked_for_where_it_is_made(self, stored):
        with pytest.raises(SegDistillError, match="has 'frame_00005', which the data lacks"):
            cache(a_teacher(), the_data(5), stored.folder)

    def test_a_sample_that_is_not_stored(self, data, stored):
        with pytest.raises(SegDistillError, match="has no 'frame_99'"):
            stored.maps(data).read("frame_99")

    def test_another_task(self, data, tmp_path):
        cached = cache(a_teacher(), data, tmp_path / "maps", task=Binary())
        with pytest.raises(SegDistillError, match="another task"):
            cached.maps(data, Multiclass(classes=("a", "b", "c")))

    def test_another_image_size(self, stored):
        with pytest.raises(SegDistillError, match=r"another image size \(\[32, 32\], not \[48, 48\]\)"):
            stored.maps(the_data(augment=Augment(48)))

    def test_views_of_another_augmentation(self, data, tmp_path):
        cached = cache(a_teacher(), data, tmp_path / "maps", views=1)
        with pytest.raises(SegDistillError, match=r"another augmentation .*rotation=90.*rotation=10"):
            cached.maps(the_data(augment=Augment(SIZE, rotation=10)))

    def test_views_of_an_augmentation_that_does_not_tell(self, data, tmp_path):
        with pytest.raises(SegDistillError, match="write a __repr__"):
            cache(a_teacher(), the_data(augment=lambda sample: sample), tmp_path / "maps", views=1)

    def test_features_that_the_augmentation_cannot_move(self, tmp_path):
        data = the_data(augment=v2.Resize((32, 32)))
        cached = cache(a_teacher(), data, tmp_path / "maps", taps=["body"])
        cached.tap(["body"])
        with pytest.raises(
            SegDistillError, match=r"Only segdistill.data.Augment moves cached features \(body\)"
        ):
            cached.maps(data)

    def test_a_tap_that_is_not_stored(self, stored):
        with pytest.raises(SegDistillError, match=r"stores logits, body, not stem.*--taps body,stem"):
            stored.tap(["logits", "stem"])

    def test_a_tap_that_the_teacher_has_not(self, data, tmp_path):
        with pytest.raises(SegDistillError, match="Unknown tap 'bodi'. Did you mean 'body'"):
            cache(a_teacher(), data, tmp_path / "maps", taps=["bodi"])

    def test_another_version(self, stored):
        header = json.loads((stored.folder / "header.json").read_text())
        (stored.folder / "header.json").write_text(json.dumps({**header, "format": 99}))
        with pytest.raises(SegDistillError, match="has format 99, this version reads 2"):
            Cached(stored.folder)

    @pytest.mark.parametrize("entry", [{"shapes": None}, {"shapes": {"logits": "abc"}}, {"data": None}])
    def test_a_header_that_does_not_say_how_to_read_the_files(self, entry, stored):
        header = json.loads((stored.folder / "header.json").read_text())
        (stored.folder / "header.json").write_text(json.dumps({**header, **entry}))
        with pytest.raises(SegDistillError, match="is damaged; delete the folder"):
            Cached(stored.folder)

    def test_the_same_weights_in_another_architecture(self, data, stored):
        teacher = a_teacher()
        teacher.spec = {"spec": {"smp.DeepLabV3": {"encoder_output_stride": 16}}}
        with pytest.raises(SegDistillError, match="another preprocessing or architecture"):
            Cached(stored.folder, teacher=Teacher(teacher))

    def test_views_that_cannot_be_drawn_again(self, tmp_path):
        class Rolls:
            def __init__(self):
                self.times = 0

            def __call__(self, sample):
                self.times += 1  # as a generator of its own would
                return {**sample, "image": sample["image"].roll(self.times, -1)}

            def __repr__(self):
                return "Rolls()"

        with pytest.raises(SegDistillError, match="differently each time.*torch"):
            cache(a_teacher(), the_data(augment=Rolls()), tmp_path / "views", views=2)

    def test_an_image_that_cannot_be_read_is_not_blamed_on_the_cache(self, data, tmp_path, monkeypatch):
        def gone(self, index):
            raise FileNotFoundError(2, "No such file", "image.png")

        monkeypatch.setattr(SyntheticSet, "__getitem__", gone)
        with pytest.raises(FileNotFoundError, match=r"image\.png"):
            cache(a_teacher(), data, tmp_path / "maps")

    def test_a_damaged_header(self, stored):
        (stored.folder / "header.json").write_text("{")
        with pytest.raises(SegDistillError, match="is no teacher cache, or a damaged one"):
            Cached(stored.folder)

    def test_a_truncated_file(self, stored):
        file = stored.folder / "body.f16"
        file.write_bytes(file.read_bytes()[:-2])
        with pytest.raises(SegDistillError, match=r"has \d+ bytes instead of \d+; delete"):
            Cached(stored.folder)

    def test_a_missing_folder(self, tmp_path):
        with pytest.raises(SegDistillError, match="There is no teacher cache"):
            Cached(tmp_path / "none")

    def test_a_batch_without_maps(self, stored):
        batch = Batch(torch.zeros(1, 3, SIZE, SIZE), torch.zeros(1, SIZE, SIZE))
        with pytest.raises(SegDistillError, match="brings no stored maps"):
            stored(batch)

    @pytest.mark.parametrize("value", [1e5, float("nan"), float("inf")])
    def test_a_value_beyond_half_precision(self, value, data, tmp_path):
        class Extreme(nn.Module):
            def forward(self, image: Tensor) -> Tensor:
                return image[:, :1] * 0 + value

        with pytest.raises(
            SegDistillError, match=r"'logits' of 'frame_00000' reaches .*half precision ends at 65504"
        ):
            cache(Extreme(), data, tmp_path / "maps")

    def test_a_small_disk(self, data, tmp_path, monkeypatch):
        usage = shutil.disk_usage(tmp_path)._replace(free=1000)
        monkeypatch.setattr(store.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(SegDistillError, match=r"needs .* GB, but .* has 1e-06 GB free.*fewer views"):
            cache(a_teacher(), data, tmp_path / "maps")
        assert not list(tmp_path.iterdir())

    def test_images_of_different_sizes_without_one(self, tmp_path):
        mixed = [Discs(1)[0], {**Discs(1, size=(16, 16))[0], "id": "small"}]
        with pytest.raises(SegDistillError, match="differ in size. Give size="):
            cache(a_teacher(), mixed, tmp_path / "maps", batch_size=1)
        assert cache(a_teacher(), mixed, tmp_path / "sized", size=(24, 24)).header.size == [24, 24]

    def test_a_device_that_is_not_there(self, data, tmp_path):
        with pytest.raises(SegDistillError, match="Unknown device 'tpu'"):
            cache(a_teacher(), data, tmp_path / "maps", device="tpu")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("options", [{"views": -1}, {"stride": 0}, {"batch_size": 0}])
    def test_impossible_numbers(self, options, data, tmp_path):
        with pytest.raises(SegDistillError, match="is impossible; use at least"):
            cache(a_teacher(), data, tmp_path / "maps", **options)

    def test_no_images(self, tmp_path):
        with pytest.raises(SegDistillError, match="no training images to cache"):
            cache(a_teacher(), [], tmp_path / "maps")


class TestStopped:
    @pytest.fixture
    def half(self, data, tmp_path, monkeypatch):
        """A cache that was stopped after four of six images; every batch is saved."""
        monkeypatch.setattr("segdistill.teachers.caching._SAVE_EVERY", 1)

        def stop(done: int, total: int) -> None:
            if done == 4:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cache(a_teacher(), data, tmp_path / "maps", batch_size=2, progress=stop)
        return tmp_path / "maps"

    def test_is_refused(self, half):
        for folder in (half, half.with_name("maps.part")):
            with pytest.raises(SegDistillError, match="half written.*goes on where it stopped"):
                Cached(folder)

    def test_goes_on_where_it_stopped(self, half, data, tmp_path):
        seen = []
        cached = cache(a_teacher(), data, half, batch_size=2, progress=lambda done, _: seen.append(done))
        assert seen == [6]
        whole = cache(a_teacher(), data, tmp_path / "whole", batch_size=2)
        assert (half / "logits.f16").read_bytes() == (tmp_path / "whole" / "logits.f16").read_bytes()
        assert sorted(path.name for path in half.iterdir()) == ["header.json", "logits.f16"]
        assert cached.fingerprint() == whole.fingerprint()
        assert not half.with_name("maps.part").exists()

    def test_begins_anew_for_another_teacher(self, half, data):
        seen = []
        cache(a_teacher(1), data, half, batch_size=2, progress=lambda done, _: seen.append(done))
        assert seen == [2, 4, 6]
