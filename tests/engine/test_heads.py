"""A network with several heads: each is supervised, and a method reads them too."""

import pytest
import torch

from segdistill.config.objects import build_loss
from segdistill.core import SegDistillError
from segdistill.engine import Trainable, distill, train
from segdistill.losses import BCE, HeadSum
from segdistill.methods import KDAS
from segdistill.taps import Tapped
from segdistill.tasks import Binary
from toys import batch, tiny_net

HEADS = ["logits", "head"]


def test_every_head_is_supervised():
    student = Tapped(tiny_net(), taps=["head"])
    image, mask = batch(size=(32, 32)), torch.randint(0, 2, (2, 32, 32))
    terms = Trainable(student, Binary(), HeadSum("BCE", heads=HEADS))(image, mask)
    # the logits of this network are its head's, enlarged
    torch.testing.assert_close(terms["task"], 2 * BCE()(student(image).logits, mask, Binary()))


def test_a_training_taps_the_heads_and_keeps_them_in_its_configuration(data, short, quiet, tmp_path):
    loss = HeadSum("BCE", heads=HEADS)
    run = train(tiny_net(), data, out=tmp_path / "run", loss=loss, training=short, display=quiet)
    alone = train(tiny_net(), data, out=tmp_path / "alone", loss=BCE(), training=short, display=quiet)
    assert value(run) == pytest.approx(2 * value(alone), rel=1e-5)
    again = build_loss(run.config["loss"])
    assert (again.loss, again.heads) == ("BCE", ("logits", "head"))


def test_a_method_shares_the_heads(data, short, quiet, tmp_path):
    loss, method = HeadSum("BCE", heads=HEADS), KDAS(heads=HEADS)
    run = distill(
        tiny_net(seed=1),
        tiny_net(),
        data,
        method,
        out=tmp_path / "run",
        loss=loss,
        training=short,
        display=quiet,
    )
    assert {"task", "KDAS/logits", "KDAS/head", "KDAS/guiding"} <= set(run.log[0])


def test_an_unknown_head_is_refused_before_the_training(data, short, quiet, tmp_path):
    loss = HeadSum(heads=["heads"])
    with pytest.raises(SegDistillError, match="Unknown tap 'heads'. Did you mean 'head'"):
        train(tiny_net(), data, out=tmp_path / "run", loss=loss, training=short, display=quiet)


def value(run):
    """The supervised loss before the first step."""
    return run.metrics["step0"]["task"]["value"]
