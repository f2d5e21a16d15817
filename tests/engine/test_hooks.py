"""The hooks of a method are called at their time, with what they were promised."""

import copy

import pytest
import torch
from torch import nn

from segdistill import Ensemble, Tapped, Teacher
from segdistill.core import SegDistillError
from segdistill.data import Augment, Data
from segdistill.engine import Trainable, Training, distill, train
from segdistill.engine.logs import Silence
from segdistill.losses import default
from segdistill.methods import KD, FitNet, Method
from segdistill.methods.traits import Traits
from segdistill.tasks import Binary
from stops import StopAt, assert_same, state
from toys import Discs, tiny_net


class Pull(Method, listed=False):
    """Draws the student's logits to the teacher's, and notes what happens to it."""

    def __init__(self):
        super().__init__()
        self.events, self.shown = [], []

    def examine(self, teacher):
        self.events.append(("examine", type(teacher), teacher.training))

    def build(self, student, teacher, task):
        super().build(student, teacher, task)
        self.events.append(("build", len(student.logits)))

    def forward(self, student, teacher, mask):
        self.shown.append(self.progress)
        return {"Pull": (student.logits - teacher.logits).square().mean()}


class Own(Pull, listed=False):
    """Needs no teacher."""

    traits = Traits("self", teacher=False)

    def forward(self, student, teacher, mask):
        self.given = teacher
        return {"Own": (student.logits - 1).square().mean()}


class Three(Pull, listed=False):
    traits = Traits("relations", relational=True, images=3)


class Learner(Pull, listed=False):
    """Learns the teacher's mean logit, and wants its student near it."""

    def __init__(self, preparation=2):
        super().__init__()
        self.preparation, self.lessons = preparation, []

    def build(self, student, teacher, task):
        super().build(student, teacher, task)
        self.register_buffer("level", torch.zeros(()))

    def prepare(self, batches):
        self.events.append(("prepare",))
        self.lessons = [(teacher.logits, mask) for teacher, mask in batches]
        self.level += torch.stack([logits.mean() for logits, _ in self.lessons]).mean() + torch.rand(())

    def forward(self, student, teacher, mask):
        return {"Learner": (student.logits - self.level).square().mean()}


def schedule(**options):
    return Training(**{"epochs": 2, "batch_size": 4, "precision": "32", "workers": 0, **options})


@pytest.fixture
def run(data, quiet, tmp_path):
    def go(
        method, *, teacher=None, student=None, data=data, name="run", display=quiet, resume=False, **options
    ):
        return distill(
            teacher or tiny_net(width=16),
            student or tiny_net(seed=1),
            data,
            method,
            out=tmp_path / name,
            training=schedule(**options),
            display=display,
            resume=resume,
        )

    return go


@pytest.fixture
def alone(data, quiet, tmp_path):
    def go(method, student=None, **options):
        out, training = tmp_path / "run", schedule(**options)
        return train(
            student or tiny_net(seed=1), data, out=out, method=method, training=training, display=quiet
        )

    return go


def test_every_part_sees_the_teachers_modules_before_it_is_built(run):
    one, two = Pull(), Learner()
    run(one + two)
    assert one.events == [("examine", Tapped, False), ("build", 2)]
    assert [name for name, *_ in two.events] == ["examine", "build", "prepare"]


def test_an_ensemble_has_no_modules_to_show(run):
    method = Pull()
    teachers = [Teacher(tiny_net(width=16)), Teacher(tiny_net(width=16, seed=3))]
    run(method, teacher=Ensemble(*teachers, task=Binary()))
    assert [name for name, *_ in method.events] == ["build"]


def test_a_method_is_built_from_as_many_images_as_it_compares(run):
    method = Three()
    run(method)
    assert method.events[-1] == ("build", 3)


@pytest.mark.parametrize(
    ("size", "devices", "message"),
    [
        (2, 1, "batch_size 2 over 1 devices gives 2. Take a batch_size of at least 3"),
        (4, 2, "batch_size 4 over 2 devices gives 2. Take a batch_size of at least 6"),
    ],
)
def test_a_batch_that_is_too_small_for_a_process_is_refused(run, tmp_path, size, devices, message):
    with pytest.raises(
        SegDistillError, match=f"Three needs 3 images in every process's batch, but {message}"
    ):
        run(KD() + Three(), batch_size=size, devices=devices)
    assert not (tmp_path / "run").exists()


def test_what_is_learnt_from_the_teacher_comes_from_augmented_training_batches(run):
    images = Data(train=Discs(16), val=Discs(4), augment=Augment(24))
    method = Learner(preparation=6)  # an epoch has four batches
    run(method, data=images)
    assert [(tuple(t.shape), tuple(m.shape)) for t, m in method.lessons] == [
        ((4, 1, 24, 24), (4, 24, 24))
    ] * 6
    assert not any(logits.requires_grad for logits, _ in method.lessons)
    masks = torch.stack([mask for _, mask in method.lessons])
    assert len(masks.flatten(1).unique(dim=0)) == 6


def test_what_is_learnt_depends_on_the_seed_alone(run):
    levels = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        method = Learner()
        torch.rand(len(name) * seed)
        run(method, name=name, seed=seed)
        levels.append(method.level.item())
    assert levels[0] == levels[1] != levels[2]


def test_a_method_that_wants_no_batches_is_not_prepared(run):
    method = Learner(preparation=0)
    run(method)
    assert ("prepare",) not in method.events


def test_what_was_learnt_is_not_learnt_again_on_resume(run):
    whole = run(Learner(), name="whole", epochs=3)
    with pytest.raises(KeyboardInterrupt):
        run(Learner(), name="parts", epochs=3, display=StopAt(1, 2))
    again = Learner()
    parts = run(again, name="parts", epochs=3, resume=True)
    assert ("prepare",) not in again.events
    assert_same(state(whole), state(parts))


class Growing(Learner, listed=False):
    def prepare(self, batches):
        self.level = torch.zeros(3)


class Forgetful(Learner, listed=False):
    def build(self, student, teacher, task):
        super().build(student, teacher, task)
        self.register_buffer("level", torch.zeros(()), persistent=False)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Growing, r"Growing.prepare\(\) gave 'level' the shape \(3,\).*Create it with that shape in build"),
        (Forgetful, r"Forgetful.prepare\(\) wrote the buffer 'level', which no checkpoint keeps"),
    ],
)
def test_what_a_resumed_run_would_have_forgotten_is_refused(run, tmp_path, method, message):
    with pytest.raises(SegDistillError, match=message):
        run(method())
    assert not (tmp_path / "run").exists()


def test_every_part_is_told_how_far_the_training_is(run):
    one, two = Pull(), Three()
    run(one + two, accumulate=2)
    assert one.shown == two.shown == [0] + [step / 4 for step in range(4) for _ in range(2)]


def test_a_resumed_run_knows_how_far_it_is(run):
    with pytest.raises(KeyboardInterrupt):
        run(Pull(), display=StopAt(1, 2))
    method = Pull()
    run(method, resume=True)
    assert method.shown == [0, 6 / 8, 7 / 8]


class Halving(Pull, listed=False):
    task_weight = 0.5


class Fading(Pull, listed=False):
    @property
    def task_weight(self):
        return 1 - self.progress


class Alone(Pull, listed=False):
    task_weight = 0.0


def test_the_supervised_loss_is_weighted_by_all_parts(run):
    student = tiny_net(seed=1)
    plain = run(Pull(), student=copy.deepcopy(student), name="a").metrics["step0"]["task"]
    quarter = run(Halving() + KD() + Halving(), student=student, name="b").metrics["step0"]["task"]
    for key in ("value", "gradient"):
        assert quarter[key] == pytest.approx(plain[key] / 4)


def test_the_weight_of_the_supervised_loss_may_change_while_training(run):
    plain, fading = (run(method, name=type(method).__name__, lr=1e-9) for method in (Pull(), Fading()))
    shares = [b["task"] / a["task"] for a, b in zip(plain.log, fading.log, strict=True)]
    assert shares == pytest.approx([1 - 1.5 / 8, 1 - 5.5 / 8], rel=0.02)


def test_labels_may_be_left_out_altogether(run):
    log = run(Alone()).log
    assert [row["task"] for row in log] == [0, 0]
    assert log[0]["Pull"] > 0


def test_a_method_without_a_teacher_gets_the_students_own_output(alone):
    method = Own()
    log = alone(method).log
    assert log[0]["loss"] == pytest.approx(log[0]["task"] + log[0]["Own"])
    assert method.given.logits.grad_fn is None
    assert [name for name, *_ in method.events] == ["build"]


def test_its_taps_of_a_teacher_are_the_students_own(alone):
    method = Own()
    method.student_taps, method.teacher_taps = ("stem",), ("body",)
    alone(method)
    assert method.given.features.keys() == {"stem", "body"}
    assert not any(feature.requires_grad for feature in method.given.features.values())


def test_it_learns_from_its_own_output_where_it_prepares(alone):
    class Itself(Learner, listed=False):
        traits = Traits("self", teacher=False)

    method, student = Itself(), tiny_net(seed=1)
    alone(method, student=student)
    assert len(method.lessons) == 2
    assert not method.lessons[0][0].requires_grad


def test_it_works_beside_one_that_has_a_teacher(run):
    method = Own()
    assert {"KD/logits", "Own"} <= run(KD() + method).log[0].keys()


def test_a_method_that_needs_a_teacher_is_refused_without_one(alone, data, tmp_path):
    with pytest.raises(SegDistillError, match="There is no teacher, but KD and FitNet cannot do without one"):
        alone(KD() + Own() + FitNet(taps="body"))
    with pytest.raises(SegDistillError, match=r"Use distill\(teacher, student, data, method\)"):
        distill(None, tiny_net(), data, KD(), out=tmp_path / "run")


def test_another_trainer_is_told_so_too():
    student = Tapped(tiny_net())
    method = KD()
    trainable = Trainable(student, Binary(), default(Binary()), method)
    with pytest.raises(SegDistillError, match="There is no teacher, but KD cannot"):
        trainable(torch.rand(2, 3, 16, 16), torch.zeros(2, 16, 16))


def test_a_training_with_a_method_of_its_own_resumes(data, tmp_path):
    def go(name, display, **options):
        return train(
            tiny_net(seed=1),
            data,
            out=tmp_path / name,
            method=Own(),
            training=schedule(),
            display=display,
            **options,
        )

    whole = go("whole", Silence())
    with pytest.raises(KeyboardInterrupt):
        go("parts", StopAt(1, 2))
    assert_same(state(whole), state(go("parts", Silence(), resume=True)))


def test_a_memory_that_fills_while_training_resumes_bit_equal(run):
    class Memory(Pull, listed=False):
        def build(self, student, teacher, task):
            super().build(student, teacher, task)
            self.register_buffer("bank", torch.zeros(3))
            self.register_buffer("next", torch.zeros((), dtype=torch.int64))

        def forward(self, student, teacher, mask):
            level = self.bank.mean()
            self.bank[self.next % 3] = student.logits.detach().mean() + torch.rand(())
            self.next += 1
            return {"Memory": (student.logits - level).square().mean()}

    whole = run(Memory(), name="whole")
    with pytest.raises(KeyboardInterrupt):
        run(Memory(), name="parts", display=StopAt(1, 2))
    parts = run(Memory(), name="parts", resume=True)
    assert_same(state(whole), state(parts))
    assert state(whole)["trainable"]["method.next"] == 8  # the first look at it left no trace


def test_a_networks_adapters_have_to_move(run):
    class Stuck(FitNet, listed=False):
        def compare(self, student, teacher):
            return super().compare(student, teacher) + 0 * self.adapters["body"].project.weight.sum()

        def aligned(self, tap, student, teacher):
            return student[:, :1], teacher[:, :1]

    with pytest.raises(SegDistillError, match="No parameter of Stuck moved in the first step"):
        run(Stuck(taps="body"), optimizer="sgd", weight_decay=0)


def test_a_factor_that_starts_at_zero_is_no_mistake(run):
    class Gated(FitNet, listed=False):
        def build(self, student, teacher, task):
            super().build(student, teacher, task)
            self.gate, self.inner = nn.Parameter(torch.zeros(())), nn.Parameter(torch.ones(()))

        def compare(self, student, teacher):
            return super().compare(student * (1 + self.gate * self.inner), teacher)

    assert run(Gated(taps="body"), optimizer="sgd", weight_decay=0).is_finished
