import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.losses import BCE, DiceBCE, DiceCE, HeadSum
from segdistill.tasks import Binary, Multiclass


def output(channels=1):
    heads = {"head1": torch.randn(2, channels, 8, 8), "head2": torch.randn(2, channels, 4, 4)}
    return Output(torch.randn(2, channels, 8, 8, requires_grad=True), heads)


MASK = torch.randint(0, 2, (2, 8, 8))


def test_is_the_sum_over_heads_at_the_images_size():
    found = output()
    second = torch.nn.functional.interpolate(found["head2"], (8, 8), mode="bilinear", align_corners=False)
    wanted = BCE()(found["head1"], MASK, Binary()) + BCE()(second, MASK, Binary())
    torch.testing.assert_close(HeadSum("BCE").of(found, MASK, Binary()), wanted)


def test_the_logits_themselves_may_be_a_head():
    found = output()
    loss = HeadSum("BCE", heads=["logits", "head1"]).of(found, MASK, Binary())
    wanted = BCE()(found.logits, MASK, Binary()) + BCE()(found["head1"], MASK, Binary())
    torch.testing.assert_close(loss, wanted)


@pytest.mark.parametrize(("task", "usual"), [(Binary(), DiceBCE()), (Multiclass(("a", "b", "c")), DiceCE())])
def test_the_tasks_own_loss_is_the_default(task, usual):
    found = output(task.channels)
    loss = HeadSum(heads=["head1"]).of(found, MASK, task)
    torch.testing.assert_close(loss, usual(found["head1"], MASK, task))


def test_names_what_it_reads():
    assert HeadSum(heads=["a", "b"]).taps == ("a", "b")
    assert BCE().taps == ()


def test_any_other_loss_reads_the_logits_alone():
    found = output()
    torch.testing.assert_close(BCE().of(found, MASK, Binary()), BCE()(found.logits, MASK, Binary()))


def test_features_are_not_taken_for_logits():
    found = Output(torch.randn(2, 1, 8, 8), {"head1": torch.randn(2, 16, 8, 8)})
    with pytest.raises(SegDistillError, match="'head1' has 16 channels and the task 1. Name taps that give"):
        HeadSum(heads=["head1"]).of(found, MASK, Binary())


def test_an_unknown_loss_and_missing_heads_are_refused():
    with pytest.raises(SegDistillError, match="Unknown loss 'DiceBC'. Did you mean 'DiceBCE'"):
        HeadSum("DiceBC")
    for heads in ([], "head1"):
        with pytest.raises(SegDistillError, match=r"HeadSum needs a list of heads, got .*\[head1, head2\]"):
            HeadSum(heads=heads)
