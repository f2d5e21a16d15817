"""Nothing is silently wrong: each guard, with the mistake it is there for."""

import copy
import math

import pytest
import torch
from torch import nn

from segdistill.core import SegDistillError
from segdistill.engine import Training, distill, train
from segdistill.engine.guards import AdapterGuard, TeacherGuard
from segdistill.engine.runtime import Runtime
from segdistill.methods import AT, KD, FitNet, Method, PairMethod
from segdistill.tasks import Binary, Multiclass
from segdistill.teachers import Teacher
from toys import tiny_net


class Published(PairMethod, listed=False):
    """A softmax over one channel, as published: a constant, so there is a graph but no gradient."""

    paper = "none"

    def compare(self, student, teacher):
        return (student.softmax(dim=1) - teacher.sigmoid()).square().mean()


class Detached(PairMethod, listed=False):
    def compare(self, student, teacher):
        return (student.detach() - teacher).square().mean()


class Late(PairMethod, listed=False):
    """Draws its projection anew in every forward pass, as five public projects do."""

    def forward(self, student, teacher, mask):
        self.projection = nn.Conv2d(1, 1, 1)
        return {"Late": (self.projection(student.logits) - teacher.logits).square().mean()}


class Unused(Method, listed=False):
    def __init__(self):
        super().__init__()
        self.spare = nn.Linear(2, 2)

    def forward(self, student, teacher, mask):
        return {"Unused": (student.logits - teacher.logits).square().mean()}


class Exploding(PairMethod, listed=False):
    def compare(self, student, teacher):
        return (student * float("inf")).mean()


@pytest.fixture
def run(data, short, quiet, tmp_path):
    def go(method, *, teacher=None, student=None, task=None, training=short):
        return distill(
            teacher or tiny_net(width=16),
            student or tiny_net(seed=1),
            data,
            method,
            out=tmp_path / "run",
            task=task,
            training=training,
            display=quiet,
        )

    yield go
    assert not (tmp_path / "run").exists(), "a refused run leaves nothing behind"


def test_a_term_with_a_zero_gradient_stops_the_run(run):
    with pytest.raises(SegDistillError, match="'Published/logits' has a gradient of exactly zero"):
        run(Published())


def test_a_term_without_a_graph_stops_the_run(run):
    with pytest.raises(SegDistillError, match="'Detached/logits' has no gradient"):
        run(Detached())


def test_a_term_that_is_not_finite_stops_the_run(run):
    with pytest.raises(SegDistillError, match="'Exploding/logits' is (nan|inf|-inf) at the first step"):
        run(Exploding())


def test_a_teacher_of_other_classes_stops_the_run(run):
    with pytest.raises(SegDistillError, match="The teacher gives 3 logit channels, but Binary .* needs 1"):
        run(KD(), teacher=tiny_net(3))


def test_a_student_of_other_classes_stops_the_run(run):
    with pytest.raises(
        SegDistillError, match="The student gives 1 logit channels, but Multiclass .* needs 3"
    ):
        run(KD(), teacher=tiny_net(3), task=Multiclass(("a", "b", "c")))


def test_a_feature_that_the_teacher_cannot_give_stops_the_run(run):
    with pytest.raises(SegDistillError, match="Unknown tap 'e4'"):
        run(AT(taps={"body": "e4"}))


def test_a_teacher_that_is_the_student_stops_the_run(run):
    net = tiny_net()
    with pytest.raises(SegDistillError, match="share weights.*copy.deepcopy"):
        run(KD(), teacher=net, student=net)


@pytest.mark.parametrize("name", ["train", "val"])
def test_an_empty_set_stops_the_run(name, data, short, quiet, tmp_path):
    getattr(data, name).samples.clear()
    with pytest.raises(SegDistillError, match="There are no (training|validation) images"):
        train(tiny_net(), data, out=tmp_path / "run", training=short, display=quiet)


def test_a_batch_larger_than_the_data_stops_the_run(run, short):
    with pytest.raises(SegDistillError, match="Batch size 32 is larger than the 16 training images"):
        run(KD(), training=Training(batch_size=32, precision="32", workers=0))


@pytest.mark.parametrize(
    ("method", "message"), [(Late(), "is not in the optimiser"), (Unused(), "got no gradient")]
)
def test_an_adapter_that_nobody_trains_stops_the_run(method, message, data, short, quiet, tmp_path):
    with pytest.raises(SegDistillError, match=message):
        distill(
            tiny_net(), tiny_net(seed=1), data, method, out=tmp_path / "run", training=short, display=quiet
        )


def test_the_first_step_that_is_taken_is_looked_at_where_a_loss_scaler_refuses_the_first(
    data, short, quiet, tmp_path, monkeypatch
):
    clip, norms, looked = Runtime.clip, [torch.tensor(math.inf)] * 2, []
    monkeypatch.setattr(Runtime, "scales_loss", True)
    monkeypatch.setattr(Runtime, "clip", lambda *a: norms.pop() if norms else clip(*a))
    monkeypatch.setattr(AdapterGuard, "after_step", lambda self: looked.append(len(norms)))
    distill(
        tiny_net(width=16),
        tiny_net(),
        data,
        FitNet(taps="body"),
        out=tmp_path / "run",
        training=short,
        display=quiet,
    )
    assert looked == [0]


def test_a_teacher_that_moves_is_noticed():
    net = tiny_net()
    guard = TeacherGuard(Teacher(net))
    guard.check()
    net.head.bias.data += 1e-6
    with pytest.raises(SegDistillError, match="teacher's weights changed"):
        guard.check()


def test_the_teachers_bytes_are_the_same_before_and_after(data, short, quiet, tmp_path):
    teacher = tiny_net(width=16, norm=True).train()
    before = copy.deepcopy(teacher.state_dict())
    distill(
        teacher,
        tiny_net(seed=1),
        data,
        KD() + FitNet(taps="body"),
        out=tmp_path / "run",
        training=short,
        display=quiet,
    )
    after = teacher.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_every_terms_value_share_and_gradient_are_recorded(data, short, quiet, tmp_path):
    run = distill(
        tiny_net(width=16),
        tiny_net(seed=1),
        data,
        KD() + AT(taps="body"),
        out=tmp_path / "run",
        training=short,
        display=quiet,
    )
    step0 = run.metrics["step0"]
    assert set(step0) == {"task", "KD/logits", "AT/body"}
    assert sum(term["share"] for term in step0.values()) == pytest.approx(1)
    assert all(term["gradient"] > 0 for term in step0.values())


def test_the_probe_leaves_no_trace(data, quiet, tmp_path):
    """Batch norm's statistics after one step are those of that step alone."""
    training = Training(epochs=1, batch_size=16, precision="32", workers=0, lr=1e-9)
    student = tiny_net(norm=True)
    train(student, data, out=tmp_path / "run", training=training, display=quiet)
    assert student.stem[1].num_batches_tracked == 1


def test_parameters_that_nothing_reaches_are_left_alone(data, short, quiet, tmp_path):
    student = tiny_net()
    student.classifier = nn.Linear(4, 4)
    before = student.classifier.weight.clone()
    train(student, data, out=tmp_path / "run", training=short, display=quiet)
    assert torch.equal(student.classifier.weight, before)


def test_a_gradient_that_is_not_finite_stops_the_run(data, quiet, tmp_path):
    class Rooted(PairMethod, listed=False):
        """Finite with an infinite slope at equality, which the second step reaches."""

        def compare(self, student, teacher):
            return (student - student.detach()).abs().sqrt().mean() + (student - teacher).square().mean()

    training = Training(epochs=1, batch_size=4, precision="32", workers=0)
    with pytest.raises(SegDistillError, match="gradient that is not finite at the first step"):
        distill(
            tiny_net(),
            tiny_net(seed=1),
            data,
            Rooted(),
            out=tmp_path / "run",
            training=training,
            display=quiet,
        )


def test_the_task_is_binary_where_none_is_named(data, short, quiet, tmp_path):
    assert train(tiny_net(), data, out=tmp_path / "run", training=short, display=quiet).task == Binary()


def test_a_term_that_trains_only_its_own_adapter_stops_the_run(run):
    student = tiny_net(seed=1)
    student.stem.requires_grad_(False)
    with pytest.raises(SegDistillError, match="'FitNet/stem' has a gradient of exactly zero"):
        run(FitNet(taps={"stem": "body"}), student=student)


def test_a_gradient_that_becomes_infinite_later_stops_the_run(data, short, quiet, tmp_path):
    class Later(PairMethod, listed=False):
        """Finite, with an infinite slope from its third call on."""

        calls = 0

        def compare(self, student, teacher):
            self.calls += 1
            gap = (student - teacher).square().mean()
            return gap if self.calls < 3 else gap + (student - student.detach()).abs().sqrt().mean()

    with pytest.raises(SegDistillError, match="The gradient is nan in step 2"):
        distill(
            tiny_net(), tiny_net(seed=1), data, Later(), out=tmp_path / "run", training=short, display=quiet
        )
    assert not (tmp_path / "run").exists()


def test_a_term_that_is_a_map_stops_the_run(run):
    class Mapped(PairMethod, listed=False):
        def compare(self, student, teacher):
            return (student - teacher).square()

    with pytest.raises(SegDistillError, match=r"'Mapped/logits' is \(2, 1, 32, 32\), not a scalar"):
        run(Mapped())


def test_parameters_that_nothing_reached_are_given_back_as_they_came(data, short, quiet, tmp_path):
    student = tiny_net()
    student.classifier = nn.Linear(4, 4)
    done = train(student, data, out=tmp_path / "run", training=short, display=quiet)
    assert all(p.requires_grad for p in student.parameters())
    assert done.metrics["idle_parameters"] == 2


def test_a_student_that_fails_on_the_images_is_a_sentence(run):
    with pytest.raises(
        SegDistillError, match=r"The student fails on images of \(3, 32, 32\): Given groups=1"
    ):
        run(KD(), student=nn.Conv2d(1, 1, 1))


def test_a_batch_too_small_for_batch_norm_is_a_sentence(data, quiet, tmp_path):
    class Pooling(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.norm = tiny_net(), nn.BatchNorm2d(1)

        def forward(self, image):
            return self.inner(image) + self.norm(image.mean(dim=(1, 2, 3), keepdim=True))

    training = Training(epochs=1, batch_size=1, precision="32", workers=0)
    with pytest.raises(SegDistillError, match="Batch norm needs more than one value per channel.*at least 2"):
        train(Pooling(), data, out=tmp_path / "run", training=training, display=quiet)
    assert not (tmp_path / "run").exists()
