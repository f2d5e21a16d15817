import numpy as np
import pytest
import torch

from fakes import build
from segdistill.core import Output, SegDistillError
from segdistill.methods import KDAS, KDASPublished
from segdistill.methods.kdas import attended as attended_maps
from segdistill.tasks import Binary, Multiclass

THREE = Multiclass(("a", "b", "c"))


def networks(channels=1, size=(6, 6)):
    g = torch.Generator().manual_seed(0)

    def one():
        first, second = (torch.randn(2, channels, *size, generator=g).requires_grad_() for _ in range(2))
        return Output(first, {"second": second})

    return one(), one()


def losses(method, task=THREE, size=(6, 6)):
    student, teacher = networks(task.channels, size)
    return build(method, student, teacher, task)(student, teacher, torch.zeros(2, *size))


def arrays(tap, channels=3, size=(6, 6)):
    return [output[tap].detach().double().numpy() for output in networks(channels, size)]


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def attended(x):
    return softmax(x @ x.T / np.sqrt(x.shape[1]), 1) @ x


def attention(student, teacher, t):
    """Mean over images and channels of the divergence over positions, one map at a time, in float64."""
    found = []
    for s_image, t_image in zip(student, teacher, strict=True):
        for s_map, t_map in zip(s_image, t_image, strict=True):
            p, q = (softmax(attended(x).ravel() / t, 0) for x in (t_map, s_map))
            found.append((p * np.log(p / q)).sum())
    return t**2 * np.mean(found)


def guiding(student, teacher):
    e = [x + x.swapaxes(2, 3) for x in (student, teacher)]
    return ((e[0] - e[1]) ** 2).mean()


@pytest.mark.parametrize(("task", "size"), [(THREE, (6, 6)), (Binary(), (6, 6)), (THREE, (4, 7))])
def test_both_heads_are_attended_to_on_both_sides(task, size):
    found = losses(KDAS(heads=["logits", "second"], alpha=0.4, temperature=3, weight=2), task, size)
    assert set(found) == {"KDAS/logits", "KDAS/second", "KDAS/guiding"}
    for head in ("logits", "second"):
        wanted = 2 * 0.4 * attention(*arrays(head, task.channels, size), t=3)
        assert found[f"KDAS/{head}"].item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("scale", [300, 10_000])
def test_large_logits_keep_their_gradient(scale):
    z = (scale * torch.randn(1, 1, 32, 32)).requires_grad_()
    target = torch.randn(1, 1, 32, 32)
    (found,) = torch.autograd.grad((attended_maps(z) * target).sum(), z)
    x = z.detach().double().requires_grad_()
    scores = torch.einsum("bchw,bcgw->bchg", x, x) / 32**0.5
    (expected,) = torch.autograd.grad((scores.softmax(dim=3) @ x * target).sum(), x)
    torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-3)


def test_the_student_learns_from_the_attention():
    student, teacher = networks()
    found = build(KDAS(), student, teacher, Binary())(student, teacher, torch.zeros(2, 6, 6))
    found["KDAS/logits"].backward()
    assert student.logits.grad.abs().sum() > 0
    assert teacher.logits.grad is None


@pytest.mark.parametrize(("head", "guided"), [(None, "second"), ("second", "second"), ("logits", "logits")])
def test_the_last_head_is_guided_unless_another_is_named(head, guided):
    found = losses(KDAS(heads=["logits", "second"], guide_head=head))["KDAS/guiding"]
    assert found.item() == pytest.approx(0.3 * guiding(*arrays(guided)), rel=1e-5)


def test_guiding_does_not_see_the_antisymmetric_part():
    student, teacher = networks()
    twist = torch.randn(2, 1, 6, 6)
    student = Output(teacher.logits.detach() + twist - twist.transpose(2, 3))
    method = build(KDASPublished(), student, teacher, Binary())
    assert method(student, teacher, torch.zeros(2, 6, 6))["KDASPublished/logits"].item() == pytest.approx(
        0, abs=1e-12
    )


@pytest.mark.parametrize("size", [(4, 8), (8, 4)])
def test_a_map_that_is_not_square_is_averaged_to_one(size):
    axis = size.index(8) + 2

    def halved(x):
        return (x.take([0, 2, 4, 6], axis=axis) + x.take([1, 3, 5, 7], axis=axis)) / 2

    wanted = 0.3 * guiding(*map(halved, arrays("logits", 3, size)))
    assert losses(KDAS(), size=size)["KDAS/guiding"].item() == pytest.approx(wanted, rel=1e-5)


def test_the_published_code_trains_by_the_guiding_of_the_first_head_alone():
    found = losses(KDASPublished(alpha=0.4, weight=2))
    assert set(found) == {"KDASPublished/logits"}
    wanted = 2 * 0.4 * guiding(*arrays("logits"))
    assert found["KDASPublished/logits"].item() == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("cls", [KDAS, KDASPublished])
def test_the_supervised_loss_has_the_rest(cls):
    assert cls().task_weight == 0.7
    assert cls(alpha=0.25).task_weight == 0.75


@pytest.mark.parametrize("cls", [KDAS, KDASPublished])
@pytest.mark.parametrize("alpha", [0, 1, -0.5])
def test_an_alpha_that_leaves_one_side_nothing_is_refused(cls, alpha):
    with pytest.raises(SegDistillError, match=f"{cls.__name__} needs alpha between 0 and 1, got {alpha}"):
        cls(alpha=alpha)


def test_an_unknown_head_names_the_right_one():
    with pytest.raises(SegDistillError, match=r"Unknown head 'secnd'. Did you mean 'second'\?"):
        KDAS(heads=["logits", "second"], guide_head="secnd")


def test_two_heads_are_refused_where_one_is_guided():
    with pytest.raises(SegDistillError, match="KDASPublished guides one head, got"):
        KDASPublished(head=["logits", "second"])


@pytest.mark.parametrize(
    ("method", "name"), [(KDAS(heads="second"), "KDAS"), (KDASPublished(head="second"), "KDASPublished")]
)
def test_heads_of_other_channels_are_refused(method, name):
    student, _ = networks(1)
    _, teacher = networks(3)
    teacher.logits = teacher.logits[:, :1]
    with pytest.raises(
        SegDistillError, match=f"{name} compares heads, but 'second' of the student has 1 channels"
    ):
        method.build(student, teacher, Binary())
