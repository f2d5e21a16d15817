"""Deep supervision and BYOT: a network learns from its labels and its own end, without a teacher."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from segdistill.core import Output, SegDistillError
from segdistill.methods import BYOT, DeepSupervision
from segdistill.methods.parts.exits import cross_entropy, soft_labels
from segdistill.tasks import Binary, Multiclass, Multilabel

THREE = Multiclass(("a", "b", "c"))
NOTHING = Output(torch.full((2, 3, 8, 8), torch.nan))  # a teacher that must not be read


def output(task=THREE, size=(8, 8), *, seed=0):
    g = torch.Generator().manual_seed(seed)
    half, quarter = ([n // k for n in size] for k in (2, 4))
    maps = {"e3": (4, half), "e4": (5, quarter), "decoder": (6, size)}
    features = {n: torch.randn(2, c, *s, generator=g).requires_grad_() for n, (c, s) in maps.items()}
    return Output(torch.randn(2, task.channels, *size, generator=g).requires_grad_(), features)


def labels(classes=3, size=(8, 8)):
    mask = torch.randint(0, classes, (2, *size), generator=torch.Generator().manual_seed(3))
    mask[0, :3] = 255
    return mask


def built(method, student, task=THREE):
    method.build(student, NOTHING, task)
    return method


def blown_up(x, size=(8, 8)):
    return F.interpolate(x, size, mode="nearest")


def plain_cross_entropy(logits, mask):
    """Every pixel is predicted by its cell; mean over labelled pixels, then over images."""
    log_probs = np.asarray(blown_up(logits).double().log_softmax(dim=1).detach())
    means = []
    for image, labelled in zip(log_probs, mask.numpy(), strict=True):
        found = [-image[c, i, j] for (i, j), c in np.ndenumerate(labelled) if c != 255]
        means.append(np.mean(found) if found else 0.0)
    return np.mean(means)


def head(layer, x):
    return torch.einsum("oi,nihw->nohw", layer.weight[:, :, 0, 0], x) + layer.bias.view(1, -1, 1, 1)


def test_a_coarse_exit_speaks_for_all_pixels_of_its_cell():
    mask = labels()
    for logits in (torch.randn(2, 3, 4, 4), torch.randn(2, 3, 8, 8), torch.randn(2, 3, 1, 2)):
        expected = plain_cross_entropy(logits, mask)
        assert cross_entropy(logits, mask, THREE).item() == pytest.approx(expected, rel=1e-5)


def test_one_sigmoid_channel_is_two_classes():
    logits, mask = torch.randn(2, 1, 4, 4), labels(2)
    two = torch.cat([torch.zeros_like(logits), logits], dim=1)
    torch.testing.assert_close(
        cross_entropy(logits, mask, Binary()), cross_entropy(two, mask, Multiclass(("a", "b")))
    )


def test_several_sigmoid_channels_are_the_mean_of_each():
    task, logits = Multilabel(("a", "b")), torch.randn(2, 2, 4, 4)
    mask = torch.stack([labels(2), labels(2).flip(2)], dim=1)
    mask[:, :, :3] = torch.where((mask == 255).any(dim=1, keepdim=True), 255, mask)[:, :, :3]
    each = [cross_entropy(logits[:, c : c + 1], mask[:, c], Binary()) for c in range(2)]
    torch.testing.assert_close(cross_entropy(logits, mask, task), sum(each) / 2)


def test_a_small_object_is_not_lost():
    mask = torch.zeros(1, 8, 8, dtype=torch.long)
    mask[0, 5, 2] = 1
    target, share = soft_labels(mask, THREE, (2, 2))
    assert target[0, 1, 0].tolist() == [[0, 0], [1 / 16, 0]]
    assert share.unique().tolist() == [1]


@pytest.mark.parametrize("task", [Binary(), THREE, Multilabel(("a", "b"))])
def test_shares_of_outcomes_add_up_to_the_labelled_share(task):
    several = (2, 2) if isinstance(task, Multilabel) else (2,)
    mask = torch.randint(0, 2, (*several, 8, 8))
    mask[..., :3] = 255
    target, share = soft_labels(mask, task, (4, 2))
    torch.testing.assert_close(target.sum(dim=1), share.expand_as(target[:, 0]))


def test_without_any_label_the_loss_is_zero_with_a_graph():
    logits = torch.randn(2, 3, 4, 4, requires_grad=True)
    loss = cross_entropy(logits, torch.full((2, 8, 8), 255), THREE)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_deep_supervision_is_the_cross_entropy_of_every_head():
    student, mask = output(), labels()
    method = built(DeepSupervision(taps=["e3", "e4"]), student)
    found = method(student, NOTHING, mask)
    for tap in ("e3", "e4"):
        expected = 0.4 * plain_cross_entropy(head(method.exits[tap], student[tap]), mask)
        assert found[f"DeepSupervision/{tap}"].item() == pytest.approx(expected, rel=1e-5)


def test_byot_is_labels_own_logits_and_a_hint():
    student, mask = output(), labels()
    method = built(BYOT(taps="e4", alpha=0.4, temperature=2, hint=0.05), student)
    found = method(student, NOTHING, mask)
    feature = torch.einsum(
        "oi,nihw->nohw", method.bottlenecks["e4"].project.weight[:, :, 0, 0], student["e4"]
    )
    logits = head(method.heads["e4"], feature.clamp(min=0))
    end, own = (F.avg_pool2d(x.double(), 4) for x in (student["decoder"], student.logits))
    p, q = ((x.double() / 2).softmax(dim=1) for x in (own, logits))
    expected = {
        "labels": 0.6 * plain_cross_entropy(logits, mask),
        "logits": 0.4 * 4 * (p * (p / q).log()).sum(dim=1).mean().item(),
        "hint": 0.05 * ((feature.double() - end) ** 2).mean().item(),
    }
    assert set(found) == {f"BYOT/e4/{name}" for name in expected}
    for name, value in expected.items():
        assert found[f"BYOT/e4/{name}"].item() == pytest.approx(value, rel=1e-5)


def test_nothing_flows_into_the_networks_own_end():
    student = output()
    sum(built(BYOT(taps=["e3", "e4"]), student)(student, NOTHING, labels()).values()).backward()
    assert student["e3"].grad.abs().sum() > 0
    assert student["e4"].grad.abs().sum() > 0
    assert student.logits.grad is None
    assert student["decoder"].grad is None


@pytest.mark.parametrize("cls", [DeepSupervision, BYOT])
def test_the_teacher_is_not_read(cls):
    assert not cls.traits.teacher
    student = output()
    method = built(cls(taps="e3"), student)
    assert not method.teacher_taps
    assert sum(method(student, NOTHING, labels()).values()).isfinite()


@pytest.mark.parametrize("cls", [DeepSupervision, BYOT])
def test_volumes_and_sigmoid_channels_work(cls):
    task, size = Binary(), (4, 8, 8)
    student = output(task, size)
    mask = torch.randint(0, 2, (2, *size))
    method = built(cls(taps=["e3", "e4"]), student, task)
    assert sum(method(student, NOTHING, mask).values()).isfinite()


def test_a_share_of_zero_leaves_a_term_out():
    student = output()
    found = built(BYOT(taps="e3", alpha=1, hint=0), student)(student, NOTHING, labels())
    assert set(found) == {"BYOT/e3/logits"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DeepSupervision(taps=()), "DeepSupervision got no taps"),
        (lambda: DeepSupervision(weight=0), "DeepSupervision needs a positive weight, got 0"),
        (lambda: BYOT(taps=[]), "BYOT got no taps"),
        (lambda: BYOT(alpha=1.5), "BYOT needs alpha from 0 to 1, got 1.5"),
        (lambda: BYOT(temperature=-3), "BYOT needs a positive temperature, got -3"),
        (lambda: BYOT(hint=-1), "BYOT needs hint of at least 0, got -1"),
        (lambda: BYOT(taps="e5", deepest="e5"), "BYOT takes 'e5' both as an exit and as the deepest layer"),
    ],
)
def test_impossible_arguments_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()
