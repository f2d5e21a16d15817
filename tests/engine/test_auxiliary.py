"""Networks that are trained beside the student take a step of their own, and nothing else moves them."""

import pytest
import torch
from torch import nn

from segdistill.core import SegDistillError
from segdistill.engine import Training, distill
from segdistill.methods import KD, FitNet, Holistic, Method
from stops import StopAt, assert_same, state
from toys import tiny_net


class Rival(Method, listed=False):
    """A critic of one weight tells mean logits apart; the student wants to be scored high."""

    lr, accumulate = 0.1, 1

    def __init__(self):
        super().__init__()
        self.weights, self.calls = [], 0

    def build(self, student, teacher, task):
        super().build(student, teacher, task)
        self.critic = nn.Conv2d(1, 1, 1, bias=False)
        nn.init.ones_(self.critic.weight)

    def forward(self, student, teacher, mask):
        assert not self.critic.weight.requires_grad
        assert self.critic.weight.grad is None
        self.seen = student.logits.detach().float(), teacher.logits.float()
        self.weights.append(self.critic.weight.item())
        return {"Rival": -self.critic(student.logits).mean()}

    def auxiliary_optimizer(self):
        return torch.optim.SGD(self.critic.parameters(), lr=self.lr)

    def auxiliary_losses(self):
        self.calls += 1
        mine, theirs = (self.critic(x).mean() for x in self.seen)
        return {"Rival/critic": mine - theirs}


class Momentum(Rival, listed=False):
    def auxiliary_optimizer(self):
        return torch.optim.Adam(self.critic.parameters(), lr=0.01)


@pytest.fixture
def run(data, quiet, tmp_path):
    def go(method, *, name="run", display=quiet, resume=False, **options):
        return distill(
            tiny_net(width=16),
            tiny_net(seed=1),
            data,
            method,
            out=tmp_path / name,
            training=Training(**{"epochs": 2, "batch_size": 4, "precision": "32", "workers": 0, **options}),
            display=display,
            resume=resume,
        )

    return go


def test_it_takes_one_step_after_each_of_the_students(run):
    method = Rival()
    run(method, accumulate=2)
    assert method.calls == 4
    probe, *weights = method.weights
    assert probe == weights[0] == weights[1] == 1
    assert weights[2::2] == weights[3::2]
    assert len(set(weights)) == 4


def test_its_step_is_that_of_its_own_optimiser(run):
    method = Rival()
    gaps = []

    def losses():
        gaps.append((method.seen[0].mean() - method.seen[1].mean()).item())
        return Rival.auxiliary_losses(method)

    method.auxiliary_losses = losses
    run(method, schedule="constant", clip_norm=1e-3, weight_decay=1.0)
    expected = 1 - 0.1 * sum(gaps)
    assert method.critic.weight.item() == pytest.approx(expected, rel=1e-5)


def test_its_learning_rate_follows_the_schedule(run):
    method, rates = Rival(), []
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)

    def make():
        nonlocal optimizer
        optimizer = Rival.auxiliary_optimizer(method)
        return optimizer

    def losses():
        rates.append(optimizer.param_groups[0]["lr"])
        return Rival.auxiliary_losses(method)

    method.auxiliary_optimizer, method.auxiliary_losses = make, losses
    run(method, epochs=1, schedule="poly", power=1.0)
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025])


def test_its_losses_are_logged_but_are_no_part_of_the_students(run):
    rows = run(KD() + Rival()).log
    columns = ["loss", "task", "KD/logits", "Rival", "Rival/critic", "val_dice"]
    assert [name for name in rows[0] if name in columns] == columns
    for row in rows:
        assert row["loss"] == pytest.approx(row["task"] + row["KD/logits"] + row["Rival"], rel=1e-5)


def test_the_logged_loss_is_the_mean_over_the_epochs_steps(run):
    method, values = Rival(), []

    def losses():
        found = Rival.auxiliary_losses(method)
        values.append(found["Rival/critic"].item())
        return found

    method.auxiliary_losses = losses
    rows = run(method, accumulate=2).log
    assert [row["Rival/critic"] for row in rows] == pytest.approx([sum(values[:2]) / 2, sum(values[2:]) / 2])


def test_two_of_one_name_are_told_apart(run):
    assert {"Rival/critic", "Rival/critic#2"} <= run(Rival() + Rival()).log[0].keys()


@pytest.mark.parametrize("at", [(0, 2), (1, 3)])
def test_a_resumed_run_is_bit_equal(run, at):
    method = Momentum() + FitNet(taps="body")
    whole = run(method, name="whole", checkpoint_steps=1)
    with pytest.raises(KeyboardInterrupt):
        run(Momentum() + FitNet(taps="body"), name="parts", display=StopAt(*at), checkpoint_steps=1)
    parts = run(Momentum() + FitNet(taps="body"), name="parts", resume=True, checkpoint_steps=1)
    assert_same(state(whole), state(parts))
    assert [row | {"seconds": 0} for row in whole.log] == [row | {"seconds": 0} for row in parts.log]
    assert state(whole)["auxiliaries"][0]["state"]


def test_a_checkpoint_of_a_method_without_one_is_refused(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run(Rival(), display=StopAt(1, 2))
    path = tmp_path / "run" / "last.ckpt"
    torch.save({**torch.load(path, weights_only=True), "auxiliaries": []}, path)
    with pytest.raises(SegDistillError, match="The checkpoint is of another student or method"):
        run(Rival(), resume=True)


def test_it_steps_in_float32(run):
    class Watching(Rival, listed=False):
        def auxiliary_losses(self):
            assert not torch.is_autocast_enabled("cpu")
            found = super().auxiliary_losses()
            assert found["Rival/critic"].dtype == torch.float32
            return found

    method = Watching()
    run(method, precision="bf16")
    assert method.calls == 8


def test_what_it_learns_does_not_reach_the_student(run):
    class Leaking(Rival, listed=False):
        """Keeps the graph of what it saw."""

        def forward(self, student, teacher, mask):
            found = super().forward(student, teacher, mask)
            self.seen = student.logits, teacher.logits
            return found

    plain, leaking = (run(method, name=type(method).__name__) for method in (Rival(), Leaking()))
    assert_same(state(plain)["trainable"], state(leaking)["trainable"])


class Exploding(Rival, listed=False):
    def auxiliary_losses(self):
        losses = super().auxiliary_losses()
        return (
            {**losses, "Rival/penalty": losses["Rival/critic"] * float("inf")} if self.calls > 2 else losses
        )


class Steep(Rival, listed=False):
    """Finite, with an infinite slope."""

    def auxiliary_losses(self):
        return {"Rival/critic": (self.critic.weight - self.critic.weight.detach()).abs().sqrt().sum()}


class Silent(Rival, listed=False):
    def auxiliary_losses(self):
        return {}


class Detached(Rival, listed=False):
    def auxiliary_losses(self):
        return {"Rival/critic": super().auxiliary_losses()["Rival/critic"].detach()}


class Flat(Rival, listed=False):
    def auxiliary_losses(self):
        return {"Rival/critic": 0 * super().auxiliary_losses()["Rival/critic"]}


class Mapped(Rival, listed=False):
    def auxiliary_losses(self):
        return {"Rival/critic": self.critic(self.seen[0])}


class Foreign(Rival, listed=False):
    def auxiliary_optimizer(self):
        return torch.optim.SGD([nn.Parameter(torch.zeros(2))], lr=0.1)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Exploding, "The term 'Rival/penalty' is (inf|-inf|nan) in step 3"),
        (Steep, "The auxiliary network of Steep has a gradient of (nan|inf) in step 1"),
        (Silent, "Silent has an auxiliary optimiser, but no auxiliary losses"),
        (Detached, "The auxiliary loss 'Rival/critic' has no gradient"),
        (Flat, "The auxiliary network of Flat has a gradient of 0.0 in step 1"),
        (Mapped, r"The term 'Rival/critic' is \(4, 1, 32, 32\), not a scalar"),
        (Foreign, "auxiliary optimiser of Foreign moves parameters that are not the method's"),
    ],
)
def test_what_trains_nothing_stops_the_run(run, tmp_path, method, message):
    with pytest.raises(SegDistillError, match=message):
        run(method())
    assert not (tmp_path / "run").exists()


def test_an_adversarial_distillation_trains_and_resumes(run):
    def method():
        return KD() + Holistic(width=2, weight=0.01)

    whole = run(method(), name="whole", epochs=1)
    with pytest.raises(KeyboardInterrupt):
        run(method(), name="parts", epochs=1, display=StopAt(0, 2))
    parts = run(method(), name="parts", epochs=1, resume=True)
    assert_same(state(whole), state(parts))
    assert {"Holistic/logits", "Holistic/critic", "Holistic/penalty"} <= whole.log[0].keys()
