"""Several scales per batch, and masks that hold shares of foreground."""

from dataclasses import replace

import pytest
import torch

from segdistill.core import Batch, SegDistillError
from segdistill.data import Augment, Data, ReleasedResize
from segdistill.engine import Training, distill, train
from segdistill.engine.scales import Scales, corner_aligned
from segdistill.losses import Focal, HeadSum, Structure
from segdistill.methods import BPKD, KD
from segdistill.taps import Tapped
from segdistill.tasks import Binary, Multiclass
from segdistill.teachers import Ensemble, Teacher
from toys import Discs, batch, tiny_net

EACH = {"scales": (0.5, 1, 2), "scale_steps": "each"}


class Watching(torch.nn.Module):
    """A network that remembers the sizes that it saw."""

    def __init__(self, seed=0):
        super().__init__()
        self.net, self.seen = tiny_net(seed=seed), []

    def forward(self, image):
        self.seen.append(image.shape[-1])
        return self.net(image)


@pytest.fixture
def one_batch():
    return Batch(batch(size=(64, 64)), torch.randint(0, 2, (2, 64, 64)), ["a", "b"])


def sizes(scales, one):
    return [seen.image.shape[-1] for seen in scales.views(one, epoch=0, index=0)]


def test_each_scale_is_seen_once_in_order_and_one_is_drawn_otherwise(one_batch):
    student = Tapped(tiny_net(), size=64)
    each = Scales(Training(**EACH), student, None)
    assert (sizes(each, one_batch), each.per_batch, student.size) == ([32, 64, 128], 3, (128, 128))
    each.reset()
    assert student.size == (64, 64)
    one = Scales(Training(scales=(0.5, 1, 2)), student, None)
    assert (len(sizes(one, one_batch)), one.per_batch) == (1, 1)
    assert sizes(Scales(Training(), student, None), one_batch) == [64]


def test_a_step_is_taken_at_each_scale_and_the_teacher_is_asked_once_per_batch(quiet, tmp_path):
    teacher, student = Watching(), Tapped(Watching(seed=1), size=64)
    data = Data(train=Discs(8, size=(64, 64)), val=Discs(4, size=(64, 64)))
    training = Training(epochs=2, batch_size=4, precision="32", workers=0, **EACH)
    run = distill(teacher, student, data, KD(), out=tmp_path / "run", training=training, display=quiet)
    assert [row["step"] for row in run.log] == [6, 12]
    assert [size for size in student.net.seen if size != 64] == [32, 128] * 4
    assert teacher.seen == [64] * 5  # one look, and four batches
    assert run.log[0]["task"] < 2  # a mean over scales, not their sum
    assert student.size == (64, 64)


def test_the_release_shows_the_teacher_every_scale_and_leaves_scale_one_alone(one_batch):
    nets = [Tapped(tiny_net(seed=seed), size=64) for seed in (0, 1, 2)]
    scales = Scales(
        Training(rescale="as_released", **EACH),
        nets[0],
        Ensemble(*(Teacher(net) for net in nets[1:]), task=Binary()),
    )
    views = [(seen, [net.size for net in nets]) for seen in scales.views(one_batch, epoch=0, index=0)]
    assert views[0][1] == [(32, 32)] * 3
    assert views[1][0] is one_batch
    small = views[0][0]
    assert small.mask.dtype == torch.float32
    assert 0 < small.mask.mean() < 1
    corners = (slice(None), slice(None, None, 63), slice(None, None, 63))
    torch.testing.assert_close(small.mask[:, ::31, ::31], one_batch.mask[corners].float())
    assert corner_aligned(one_batch, 1) is one_batch


def test_a_mask_of_shares_trains_what_a_mask_of_labels_trains_where_they_agree():
    logits, mask = torch.randn(2, 1, 32, 32), torch.randint(0, 2, (2, 32, 32))
    for loss in (Structure(), HeadSum("BCE")):
        assert loss.fractions
        torch.testing.assert_close(loss(logits, mask, Binary()), loss(logits, mask.float(), Binary()))
    shares = torch.full((1, 2, 2), 0.25)
    assert Binary().targets(shares).tolist() == [[[[0.25, 0.25], [0.25, 0.25]]]]
    assert Binary().targets(torch.tensor([[[255.0, 1.0]]])).tolist() == [[[[0.0, 1.0]]]]


def test_the_release_resizes_masks_to_shares_that_keep_the_area():
    sample = Discs(1, size=(50, 70))[0]
    resized = ReleasedResize((32, 32))(sample)
    share, mask = resized["mask"].as_subclass(torch.Tensor), sample["mask"].as_subclass(torch.Tensor)
    assert resized["image"].shape == (3, 32, 32)
    assert ((share > 0) & (share < 1)).any()
    assert share.mean().item() == pytest.approx(mask.float().mean().item(), abs=0.01)


def test_shares_are_not_made_of_pixels_to_ignore():
    sample = Discs(1, size=(50, 70))[0]
    sample["mask"][0, 0] = 255
    with pytest.raises(SegDistillError, match="mask of 'disc_00' holds label 255: shares of foreground can"):
        ReleasedResize(32)(sample)


@pytest.mark.parametrize("ignored", [255, -1])
def test_no_scale_makes_shares_of_a_batch_with_pixels_to_ignore(one_batch, ignored):
    one_batch.mask[1, 0, 0] = ignored
    scales = Scales(Training(rescale="as_released", **EACH), Tapped(tiny_net()), None)
    with pytest.raises(SegDistillError, match=f"mask of 'b' holds label {ignored}: .* Take rescale 'smooth'"):
        sizes(scales, one_batch)
    assert sizes(Scales(Training(**EACH), Tapped(tiny_net()), None), one_batch) == [32, 64, 128]


def test_pixels_to_ignore_are_refused_before_the_run_folder_exists(tmp_path, quiet):
    train_set = Discs(8)
    for _, mask in train_set.samples:
        mask[:16] = 255
    with pytest.raises(SegDistillError, match="mask of 'disc_00' holds label 255"):
        run(tmp_path, quiet, train_set=train_set, loss=Structure(), **RELEASED)
    assert not (tmp_path / "run").exists()


def run(
    tmp_path, quiet, *, method=None, loss=None, task=None, net=None, augment=None, train_set=None, **options
):
    data = Data(train=train_set or Discs(8), val=Discs(4, seed=1), augment=augment or Augment(32))
    training = replace(
        Training(epochs=1, batch_size=4, precision="32", workers=0, scales=(1.0, 2.0)), **options
    )
    common = {"out": tmp_path / "run", "training": training, "display": quiet, "loss": loss, "task": task}
    net = net or tiny_net()
    return distill(tiny_net(seed=1), net, data, method, **common) if method else train(net, data, **common)


RELEASED = {"rescale": "as_released"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"loss": Focal(), **RELEASED}, "the loss Focal is not defined on them"),
        ({"loss": Focal(), "augment": ReleasedResize(32)}, "the loss Focal is not defined on them"),
        ({"method": BPKD(), **RELEASED}, "BPKD reads labels"),
        ({"task": Multiclass(("a", "b")), "net": tiny_net(2), **RELEASED}, "Multiclass has none between"),
    ],
)
def test_shares_are_refused_where_labels_are_read(tmp_path, quiet, options, words):
    with pytest.raises(SegDistillError, match=words):
        run(tmp_path, quiet, **options)


def test_shares_from_the_first_to_the_last_step(tmp_path, quiet):
    trained = run(tmp_path, quiet, augment=ReleasedResize(32), scale_steps="each", **RELEASED)
    assert trained.log[0]["step"] == 4
    assert trained.metrics["best"]["images"] == 4  # scored on labels


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale_steps": "all"}, "Unknown scale_steps 'all'"),
        ({"scale_steps": "each"}, "scale_steps is 'each', but there are no scales"),
        ({"rescale": "as_released"}, "rescale is 'as_released', but there are no scales"),
        (
            {**EACH, "accumulate": 2},
            "moves the weights at every scale, accumulate 2 only after several batches",
        ),
    ],
)
def test_scales_that_cannot_be_are_refused(options, words):
    with pytest.raises(SegDistillError, match=words):
        Training(**options)
