"""Samples that would train on nothing are refused before training."""

import math

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data import Augment, Data, Seeded, collate
from segdistill.data.reading import in_form
from segdistill.engine import train
from segdistill.engine.samples import check_data, check_sample
from segdistill.tasks import Binary, Multiclass, Multilabel
from toys import Discs, tiny_net

IMAGE = torch.zeros(3, 8, 8, dtype=torch.uint8)
MASK = torch.zeros(8, 8, dtype=torch.uint8)


def sample(image=IMAGE, mask=MASK):
    return {"image": image, "mask": mask, "id": "a"}


@pytest.mark.parametrize(
    ("wrong", "task", "message"),
    [
        ((IMAGE, MASK), Binary(), "A sample is .* gives a tuple"),
        ({"image": IMAGE, "mask": MASK}, Binary(), "A sample is .* gives a dict"),
        (
            sample(image=IMAGE.float() + 7),
            Binary(),
            r"image of 'a' holds torch.float32 from 7 to 7. Give bytes",
        ),
        (sample(image=IMAGE.to(torch.int16)), Binary(), "holds torch.int16"),
        (sample(mask=MASK + 3), Binary(), "mask of 'a' holds the label 3; Binary .* knows 0, 1, 255"),
        (sample(mask=MASK + 9), Multiclass(("a", "b")), "holds the label 9; Multiclass .* knows 0, 1, 255"),
        (sample(mask=MASK - 1.0), Binary(), "mask of 'a' holds the label -1"),
        (sample(mask=MASK + 0.5), Binary(), "mask of 'a' holds 0.5, and a label is a whole number"),
        (sample(mask=MASK + math.nan), Binary(), "mask of 'a' holds nan"),
        (sample(mask="a.png"), Binary(), "mask of 'a' is of type str. Give a tensor or a numpy array"),
        (sample(mask=MASK[:4]), Binary(), r"mask of 'a' is \(4, 8\) beside an image of \(3, 8, 8\)"),
        (sample(mask=MASK[None]), Binary(), "Binary wants one plane of the image"),
        (sample(), Multilabel(("a", "b")), "Multilabel wants one plane per class"),
    ],
)
def test_a_sample_that_the_task_cannot_read_is_a_sentence(wrong, task, message):
    with pytest.raises(SegDistillError, match=message):
        check_sample(in_form(wrong), task)


@pytest.mark.parametrize(
    ("good", "task"),
    [
        (sample(), Binary()),
        (sample(image=IMAGE.float()), Binary()),
        (sample(mask=MASK + 255), Binary()),
        (sample(mask=MASK + 2), Multiclass(("a", "b", "c"))),
        (sample(mask=torch.stack([MASK, MASK + 1])), Multilabel(("a", "b"))),
        ({"image": torch.zeros(1, 4, 8, 8), "mask": torch.zeros(4, 8, 8), "id": "volume"}, Binary()),
    ],
)
def test_a_good_sample_passes(good, task):
    check_sample(in_form(good), task)


class Odd(Discs):
    """Discs in a form of one's own, of which one may be wrong."""

    def __init__(self, length, form, *, wrong=None, size=(32, 32)):
        super().__init__(length, size=size)
        self.form, self.wrong = form, wrong

    def __getitem__(self, index):
        found = super().__getitem__(index)
        image, mask = (found[key].as_subclass(torch.Tensor) for key in ("image", "mask"))
        mask[0, 0] = 7 if index == self.wrong else 0
        return {**found, **dict(zip(("image", "mask"), self.form(image, mask), strict=True))}


FORMS = {
    "numpy": lambda image, mask: (image.numpy(), mask.numpy()[::-1]),
    "bool": lambda image, mask: (image, mask.bool()),
    "floats": lambda image, mask: (image / 255, mask.float()),
    "indices": lambda image, mask: (image, mask.long()),
}


@pytest.mark.parametrize("form", FORMS)
def test_samples_of_any_form_are_augmented_and_collated_alike(form):
    seeded = Seeded(Odd(4, FORMS[form]), Augment(16))
    batch = collate([seeded[(0, index)] for index in range(4)])
    assert (batch.image.dtype, batch.mask.dtype) == (torch.float32, torch.int64)
    assert 0 <= batch.image.min() <= batch.image.max() <= 1
    assert batch.mask.unique().tolist() == [0, 1]


def test_arrays_train_and_validate(short, quiet, tmp_path):
    data = Data(train=Odd(8, FORMS["numpy"]), val=Odd(4, FORMS["numpy"]))
    assert train(tiny_net(), data, out=tmp_path / "run", training=short, display=quiet).is_finished


def test_grey_images_are_refused_by_an_augmentation_that_recolours():
    grey = Odd(1, lambda image, mask: (image[:1], mask))
    with pytest.raises(SegDistillError, match=r"image of 'disc_00' is \(1, 32, 32\). Give \(3, H, W\)"):
        Seeded(grey, Augment(16))[(0, 0)]


def test_a_label_that_no_class_has_is_found_before_training_or_when_it_is_met(short, quiet, tmp_path):
    plain, size = FORMS["indices"], (8, 8)
    data = Data(train=Discs(8), val=Odd(200, plain, wrong=3, size=size))
    with pytest.raises(SegDistillError, match="mask of 'disc_03' holds the label 7"):
        check_data(data, Multiclass(("a", "b")))
    data = Data(train=Odd(200, plain, wrong=4, size=size), val=Discs(4))
    check_data(data, Multiclass(("a", "b")))
    with pytest.raises(
        SegDistillError, match="mask of 'disc_04' holds the label 7; Multiclass .* knows 0, 1, 255"
    ):
        train(
            tiny_net(2),
            data,
            task=Multiclass(("a", "b")),
            out=tmp_path / "run",
            training=short,
            display=quiet,
        )


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ([Discs(2)], "tests is of type list. Give the sets by name"),
        ({"../evil": Discs(2)}, r"test set '../evil' has a name that no file can have, .* scores/NAME.csv"),
        ({"": Discs(2)}, "test set '' has a name"),
    ],
)
def test_test_sets_have_names_that_files_can_have(tests, message):
    with pytest.raises(SegDistillError, match=message):
        Data(train=Discs(2), val=Discs(2), tests=tests).check()


class Loud(Discs):
    """Masks of 0 and 255, as image editors write them."""

    def __getitem__(self, index):
        found = super().__getitem__(index)
        return {**found, "mask": found["mask"] * 255}


def test_masks_of_0_and_255_are_not_taken_for_ignored(short, quiet, tmp_path):
    with pytest.raises(
        SegDistillError, match="no foreground, 1, but 255, which is ignored. .* divided by 255"
    ):
        train(
            tiny_net(), Data(train=Loud(8), val=Discs(4)), out=tmp_path / "run", training=short, display=quiet
        )
    assert not (tmp_path / "run").exists()


class Picky(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = tiny_net()

    def forward(self, image):
        if image.shape[-1] != 32:
            raise RuntimeError("size must be 32.")
        return self.inner(image)


class Wide(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return {**Discs(4, size=(32, 32 + 16 * index))[index], "id": f"wide_{index}"}


def test_a_native_size_that_the_student_refuses_shows_before_training(short, quiet, tmp_path):
    data = Data(train=Discs(8), val=Discs(4), tests={"wide": Wide()})
    with pytest.raises(
        SegDistillError, match=r"cannot segment 'wide_1' at its own size \(32, 48\).*Give it a size"
    ):
        train(Picky(), data, out=tmp_path / "run", training=short, display=quiet)
    assert not (tmp_path / "run").exists()
