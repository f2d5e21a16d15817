"""Batches do not depend on workers, processes or interruptions."""

from __future__ import annotations

import multiprocessing
import signal
import time

import pytest
import torch
from torchvision import tv_tensors

from segdistill.core import SegDistillError
from segdistill.data import Augment, EpochSampler, Seeded, SyntheticSet, collate, loader, loading


@pytest.fixture(scope="module")
def frames():
    return SyntheticSet(10, size=(40, 48))


def test_a_sample_depends_on_seed_epoch_and_id_only(frames):
    one = Seeded(frames, Augment(32), seed=1)
    first = one[(0, 3)]["image"]
    for key in ((0, 1), (5, 2)):
        _ = one[key]
    torch.rand(7)
    assert torch.equal(one[(0, 3)]["image"], first)
    assert not torch.equal(one[(1, 3)]["image"], first)
    assert not torch.equal(Seeded(frames, Augment(32), seed=2)[(0, 3)]["image"], first)


def test_augmenting_leaves_the_callers_random_numbers_alone(frames):
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    _ = Seeded(frames, Augment(32))[(0, 0)]
    assert torch.equal(torch.rand(3), expected)


def test_an_error_inside_the_augmentation_leaves_them_alone_too(frames):
    def fail(sample):
        raise ValueError("no")

    torch.manual_seed(4)
    state = torch.default_generator.get_state()
    with pytest.raises(ValueError, match="no"):
        Seeded(frames, fail)[(0, 0)]
    assert torch.equal(torch.default_generator.get_state(), state)


def test_without_augmentation_samples_pass(frames):
    assert Seeded(frames)[(3, 2)]["mask"].shape == (40, 48)


@pytest.mark.parametrize("world", [2, 4])
def test_global_batches_hold_the_same_samples_for_any_number_of_processes(world):
    alone = list(EpochSampler(23, batch_size=8, seed=3))
    ranks = [list(EpochSampler(23, batch_size=8, seed=3, rank=rank, world=world)) for rank in range(world)]
    for whole, *shares in zip(alone, *ranks, strict=True):
        assert {len(share) for share in shares} == {8 // world}
        assert sorted(key for share in shares for key in share) == sorted(whole)


def test_an_epoch_shows_every_sample_at_most_once_in_an_order_of_its_own():
    sampler = EpochSampler(21, batch_size=5, seed=0)
    orders = []
    for epoch in (0, 1):
        sampler.begin(epoch)
        keys = [key for batch in sampler for key in batch]
        assert len(sampler) == 4
        assert len(set(keys)) == 20
        assert {key[0] for key in keys} == {epoch}
        orders.append([index for _, index in keys])
    assert orders[0] != orders[1]


def test_an_interrupted_epoch_goes_on_where_it_was():
    sampler = EpochSampler(20, batch_size=4, seed=7)
    sampler.begin(2)
    whole = list(sampler)
    sampler.begin(2, start=3)
    assert len(sampler) == 2
    assert list(sampler) == whole[3:]


def test_a_batch_larger_than_the_set_is_an_error_that_tells_the_largest():
    with pytest.raises(
        SegDistillError,
        match=r"Batch size 8 is larger than the 5 training images; use a batch size of at most 5\.",
    ):
        EpochSampler(5, batch_size=8)


def test_a_batch_that_processes_cannot_share_is_an_error():
    with pytest.raises(
        SegDistillError, match="Batch size 8 cannot be shared by 3 devices; use a multiple of 3"
    ):
        EpochSampler(50, batch_size=8, world=3)
    with pytest.raises(SegDistillError, match="batch size of 0 is empty"):
        EpochSampler(50, batch_size=0)


def test_a_batch_is_floats_and_indices_in_channels_last_order(frames):
    seeded = Seeded(frames, Augment((32, 24)))
    samples = [seeded[(0, index)] for index in range(3)]
    batch = collate(samples)
    assert (batch.image.shape, batch.image.dtype) == ((3, 3, 32, 24), torch.float32)
    assert (batch.mask.shape, batch.mask.dtype) == ((3, 32, 24), torch.int64)
    assert type(batch.image) is type(batch.mask) is torch.Tensor
    assert batch.ids == ["frame_00000", "frame_00001", "frame_00002"]
    assert batch.image.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal((batch.image[1] * 255).round().byte(), samples[1]["image"])
    assert 0 <= batch.image.min() <= batch.image.max() <= 1


def test_samples_of_two_sizes_are_an_error_that_names_both(frames):
    small = SyntheticSet(1, size=(32, 32))[0]
    with pytest.raises(SegDistillError, match=r"is \(40, 48\) and .* is \(32, 32\) pixels: .*Augment\(256\)"):
        collate([frames[0], small])


def test_workers_change_nothing(frames):
    """Two workers, over two epochs, give bit for bit what the calling process gives."""
    batches = []
    for workers in (0, 2):
        sampler = EpochSampler(len(frames), batch_size=4, seed=1)
        batch_loader = loader(Seeded(frames, Augment(32), seed=1), sampler, workers=workers)
        seen = []
        for epoch in (0, 1):
            sampler.begin(epoch)
            seen += list(batch_loader)
        batches.append(seen)
    for one, two in zip(*batches, strict=True):
        assert one.ids == two.ids
        assert torch.equal(one.image, two.image)
        assert torch.equal(one.mask, two.mask)


def test_a_mistake_in_a_worker_is_said_as_in_the_calling_process(frames):
    class Broken(SyntheticSet):
        def __getitem__(self, index):
            raise SegDistillError("The file is gone.")

    for workers in (0, 1):
        batches = loader(Seeded(Broken(4)), EpochSampler(4, batch_size=2), workers=workers)
        with pytest.raises(SegDistillError, match=r"^The file is gone\.$"):
            list(batches)


def test_a_worker_that_was_told_to_end_does_not_outlive_its_training(monkeypatch):
    monkeypatch.setattr(loading, "_GRACE", 0.2)

    def work(started):
        loading._start_worker(0)
        started.set()
        time.sleep(60)

    fork = multiprocessing.get_context("fork")
    started = fork.Event()
    worker = fork.Process(target=work, args=(started,))
    worker.start()
    started.wait(10)
    worker.terminate()
    worker.join(0.1)
    assert worker.is_alive(), "the training saves first"
    worker.join(10)
    assert worker.exitcode == -signal.SIGALRM


def test_negative_workers_are_an_error(frames):
    with pytest.raises(SegDistillError, match="workers=-1 is negative"):
        loader(Seeded(frames), EpochSampler(10, batch_size=2), workers=-1)


def test_a_chain_of_torchvision_transforms_is_as_good_an_augmentation():
    from torchvision.transforms import v2

    class Mirrors:
        """A sample whose red channel is its mask."""

        ids = ["a", "b"]

        def __len__(self):
            return 2

        def __getitem__(self, index):
            mask = torch.zeros(20, 30, dtype=torch.uint8)
            mask[4:9, 2 : 10 + index] = 1
            image = torch.stack([mask * 255, mask * 0, mask * 0])
            return {"image": tv_tensors.Image(image), "mask": tv_tensors.Mask(mask), "id": self.ids[index]}

    chain = v2.Compose([v2.RandomHorizontalFlip(0.5), v2.RandomVerticalFlip(0.5), v2.RandomCrop(16)])
    seeded = Seeded(Mirrors(), chain, seed=3)
    for epoch in range(5):
        batch = collate([seeded[(epoch, 0)], seeded[(epoch, 1)]])
        assert batch.image.shape == (2, 3, 16, 16)
        assert torch.equal(batch.image[:, 0], batch.mask.float())
        assert torch.equal(batch.mask, collate([seeded[(epoch, 0)], seeded[(epoch, 1)]]).mask)
