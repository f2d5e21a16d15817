"""Samples that would train on nothing are refused before training."""

import pytest
import torch
from torch import nn
from torch.utils.data import Dataset

from segdistill.core import SegDistillError
from segdistill.data import Data
from segdistill.engine import train
from segdistill.engine.samples import check_sample
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
        (sample(mask=MASK[:4]), Binary(), r"mask of 'a' is \(4, 8\) beside an image of \(3, 8, 8\)"),
        (sample(mask=MASK[None]), Binary(), "Binary wants one plane of the image"),
        (sample(), Multilabel(("a", "b")), "Multilabel wants one plane per class"),
    ],
)
def test_a_sample_that_the_task_cannot_read_is_a_sentence(wrong, task, message):
    with pytest.raises(SegDistillError, match=message):
        check_sample(wrong, task)


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
    check_sample(good, task)


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
        return {**Discs(4, size=(32, 48))[index], "id": f"wide_{index}"}


def test_a_native_size_that_the_student_refuses_shows_before_training(short, quiet, tmp_path):
    data = Data(train=Discs(8), val=Discs(4), tests={"wide": Wide()})
    with pytest.raises(
        SegDistillError, match=r"cannot segment 'wide_0' at its own size \(32, 48\).*Give it a size"
    ):
        train(Picky(), data, out=tmp_path / "run", training=short, display=quiet)
    assert not (tmp_path / "run").exists()
