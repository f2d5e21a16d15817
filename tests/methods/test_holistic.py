"""A critic learns to tell the teacher's maps from the student's; the student learns to pass for the teacher."""

import pytest
import torch
from torch import nn

from segdistill.core import Output, SegDistillError
from segdistill.methods import Holistic
from segdistill.methods.parts.discriminator import Discriminator, SelfAttention, slope_penalty
from segdistill.tasks import Binary, Multiclass, Multilabel

TASKS = {1: Binary(), 2: Multilabel(("a", "b")), 3: Multiclass(("a", "b", "c"))}


def maps(channels=3, spatial=(64, 64), count=2, seed=0, scale=1.0):
    g = torch.Generator().manual_seed(seed)
    return scale * torch.randn(count, channels, *spatial, generator=g)


def a_pair(channels=3, spatial=(64, 64), width=4, **options):
    """A method, the student's output and the teacher's, which is four times as sure of itself."""
    student = Output(maps(channels, spatial).requires_grad_())
    teacher = Output(maps(channels, spatial, seed=1, scale=4.0))
    method = Holistic(width=width, **options)
    method.build(student, teacher, TASKS[channels])
    return method, student, teacher


def a_step(method, optimizer):
    """The auxiliary step, as the engine takes it."""
    method.critic.requires_grad_(True)
    losses = method.auxiliary_losses()
    sum(losses.values()).backward()
    optimizer.step()
    optimizer.zero_grad()
    method.critic.requires_grad_(False)
    return {name: value.item() for name, value in losses.items()}


def test_the_critic_learns_to_tell_them_apart():
    method, student, teacher = a_pair(width=8, critic_lr=2e-3)
    optimizer, gaps = method.auxiliary_optimizer(), []
    for _ in range(40):
        method(student, teacher, None)
        gaps.append(-a_step(method, optimizer)["Holistic/critic"])
    assert abs(gaps[0]) < 0.1
    assert gaps[-1] > 0.5
    fresh = [maps(count=4, seed=7), maps(count=4, seed=8, scale=4.0)]
    mine, theirs = (method.critic.eval()(x) for x in fresh)
    assert mine.max() < theirs.min()


def test_the_student_is_taught_to_be_scored_high():
    method, student, teacher = a_pair()
    loss = method(student, teacher, None)["Holistic/logits"]
    score = method.critic(student.logits).mean()
    torch.testing.assert_close(loss, -0.1 * score)
    loss.backward()
    assert student.logits.grad.abs().sum() > 0
    with torch.no_grad():
        better = Output(student.logits - 10 * student.logits.grad / student.logits.grad.norm())
    assert method(better, teacher, None)["Holistic/logits"] < loss


def test_the_students_backward_pass_leaves_the_critic_as_it_was():
    method, student, teacher = a_pair()
    method.train()
    before = {name: value.clone() for name, value in method.state_dict().items()}
    method(student, teacher, None)["Holistic/logits"].backward()
    assert all(torch.equal(before[name], value) for name, value in method.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in method.parameters())


def test_the_critics_step_leaves_the_student_as_it_was():
    method, student, teacher = a_pair()
    method(student, teacher, None)
    a_step(method, method.auxiliary_optimizer())
    assert student.logits.grad is None


def test_the_critics_losses_are_those_of_the_formula():
    method, student, teacher = a_pair(penalty=3.0)
    method(student, teacher, None)
    torch.manual_seed(5)
    losses = method.auxiliary_losses()
    critic = method.critic.eval()
    torch.manual_seed(5)
    share = torch.rand(2, 1, 1, 1)
    between = (student.logits.detach() + share * (teacher.logits - student.logits.detach())).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between)
    rms = [g.square().sum().sqrt() * (3 * 64 * 64) ** 0.5 for g in slope]
    gap = critic(student.logits).mean() - critic(teacher.logits).mean()
    # Training mode refines the estimate of the spectral norms, hence the tolerance.
    torch.testing.assert_close(losses["Holistic/critic"], gap, rtol=0.05, atol=0.01)
    torch.testing.assert_close(
        losses["Holistic/penalty"], 3 * sum((x - 1) ** 2 for x in rms) / 2, rtol=0.1, atol=0.01
    )


def test_the_penalty_is_zero_at_a_slope_of_one_whatever_the_size():
    class Mean(nn.Module):
        def forward(self, x):
            return x.flatten(1).mean(dim=1)  # moves by as much as a map does on average

    for spatial, channels in (((64, 64), 3), ((8, 16), 1), ((4, 4, 4), 2)):
        one, other = maps(channels, spatial), maps(channels, spatial, seed=1)
        torch.testing.assert_close(slope_penalty(Mean(), one, other), torch.zeros(()), atol=1e-9, rtol=0)


def test_an_images_slope_does_not_depend_on_the_others():
    critic = Discriminator(3, width=4).eval()
    one, other = maps(count=3), maps(count=3, seed=1)
    whole = critic(one)
    torch.testing.assert_close(whole, torch.cat([critic(x[None]) for x in one]))
    assert not any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in critic.modules())
    assert critic(other).shape == (3,)


def test_every_convolution_that_halves_has_a_spectral_norm_of_one():
    critic = Discriminator(3, width=4).train()
    for _ in range(20):
        critic(maps())
    halving = [m for m in critic.eval().modules() if isinstance(m, nn.Conv2d) and m.stride == (2, 2)]
    assert len(halving) == 4
    for layer in halving:
        assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=0.02)


def test_attention_begins_as_the_identity_and_then_looks_everywhere():
    layer, x = SelfAttention(8, dimensions=2), torch.randn(1, 8, 4, 4)
    assert torch.equal(layer(x), x)
    nn.init.ones_(layer.factor)
    query, key, value = (each(x)[0].flatten(1) for each in (layer.query, layer.key, layer.value))
    rows = []
    for i in range(16):
        weights = torch.stack([query[:, i] @ key[:, j] for j in range(16)]).softmax(dim=0)
        rows.append(sum(weights[j] * value[:, j] for j in range(16)))
    torch.testing.assert_close(layer(x)[0].flatten(1), x[0].flatten(1) + torch.stack(rows, dim=1))


@pytest.mark.parametrize(
    ("channels", "spatial"), [(1, (64, 64)), (2, (40, 72)), (3, (100, 130)), (1, (8, 16, 16)), (3, (200,))]
)
def test_any_size_and_any_number_of_classes_will_do(channels, spatial):
    method, student, teacher = a_pair(channels, spatial, width=2)
    method(student, teacher, None)["Holistic/logits"].backward()
    assert student.logits.grad.isfinite().all()
    assert student.logits.grad.abs().sum() > 0
    losses = a_step(method, method.auxiliary_optimizer())
    assert all(torch.tensor(value).isfinite() for value in losses.values())


def test_the_value_does_not_change_with_the_resolution():
    method, student, teacher = a_pair()

    def larger(output):
        return Output(output.logits.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3))

    torch.testing.assert_close(
        method(larger(student), larger(teacher), None)["Holistic/logits"],
        method(student, teacher, None)["Holistic/logits"],
    )


def test_a_larger_critic_map_gives_several_scores_whose_mean_counts():
    critic = Discriminator(1, width=2).eval()
    assert critic.layers(maps(1, (96, 80))).shape == (2, 1, 3, 2)
    assert critic(maps(1, (96, 80))).shape == (2,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weight": 0}, "positive weight, got 0"),
        ({"penalty": 0}, "Holistic needs a positive penalty, got 0"),
        ({"critic_lr": -1}, "Holistic needs a positive critic_lr, got -1"),
        ({"width": 0}, "Holistic needs width of at least 1, got 0"),
        ({"size": 32}, "Holistic needs size of at least 64, got 32"),
    ],
)
def test_impossible_numbers_are_refused(options, message):
    with pytest.raises(SegDistillError, match=message):
        Holistic(**options)


def test_other_classes_than_the_teachers_are_refused():
    with pytest.raises(SegDistillError, match="the student has 3 classes and the teacher 2"):
        Holistic().build(Output(maps(3)), Output(maps(2)), TASKS[3])
