import pytest
import torch

from segdistill.core import Batch, SegDistillError
from segdistill.tasks import Binary, Multiclass
from segdistill.teachers import Ensemble, Teacher
from toys import TinyNet, batch, tiny_net


def a_batch(count=2):
    return Batch(batch(count=count), torch.zeros(count, 16, 16, dtype=torch.long))


def test_a_teacher_cannot_thaw():
    net = tiny_net(norm=True)
    teacher = Teacher(net)
    before = teacher.fingerprint()
    net.train()
    output = teacher(a_batch())
    assert not net.training
    assert not output.logits.requires_grad
    assert teacher.fingerprint() == before


def test_a_students_loss_can_use_the_teachers_output():
    teacher, weight = Teacher(tiny_net()), torch.ones(1, requires_grad=True)
    teacher.tap(["body"])
    output = teacher(a_batch())
    ((output.logits * weight).sum() + (output["body"] * weight).sum()).backward()
    assert weight.grad is not None
    assert not output["body"].requires_grad


def test_a_teacher_is_no_module_that_an_optimiser_could_find():
    assert not isinstance(Teacher(tiny_net()), torch.nn.Module)


def test_the_fingerprint_sees_a_single_changed_bit():
    net = tiny_net(norm=True)
    teacher = Teacher(net)
    before = teacher.fingerprint()
    net.stem[1].running_mean[0] += 1e-7
    assert teacher.fingerprint() != before


def test_features_come_with_the_logits():
    teacher = Teacher(tiny_net())
    teacher.tap(["body"])
    assert teacher(a_batch())["body"].shape == (2, 16, 4, 4)


def test_a_feature_before_a_relu_in_place_keeps_its_negative_values():
    teacher = Teacher(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(inplace=True)))
    teacher.tap(["0"])
    assert teacher(a_batch())["0"].min() < 0


def test_an_ensemble_of_one_is_that_teacher():
    for task in (Binary(), Multiclass(("a", "b", "c"))):
        teacher = Teacher(tiny_net(task.channels))
        one, alone = Ensemble(teacher, task=task)(a_batch()), teacher(a_batch())
        torch.testing.assert_close(task.probabilities(one.logits), task.probabilities(alone.logits))


def test_an_ensemble_averages_probabilities_by_weight():
    task = Binary()
    a, b = Teacher(tiny_net(seed=1)), Teacher(tiny_net(seed=2))
    mixed = Ensemble(a, b, task=task, weights=[3, 1])(a_batch()).logits.sigmoid()
    torch.testing.assert_close(
        mixed, 0.75 * a(a_batch()).logits.sigmoid() + 0.25 * b(a_batch()).logits.sigmoid()
    )


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0]])
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(SegDistillError, match="2 teachers need as many weights"):
        Ensemble(Teacher(tiny_net()), Teacher(tiny_net()), task=Binary(), weights=weights)


def test_a_member_of_other_classes_is_named():
    mixed = Ensemble(Teacher(tiny_net()), Teacher(tiny_net(2)), task=Binary())
    with pytest.raises(SegDistillError, match="Teacher 2 of the ensemble gives 2 logit channels, but Binary"):
        mixed(a_batch())


def test_state_that_is_no_tensor_is_left_out_of_the_fingerprint():
    class Extra(TinyNet):
        def get_extra_state(self):
            return {"a": 1}

    assert Teacher(Extra()).fingerprint() != Teacher(Extra()).fingerprint()  # other weights


def test_an_empty_ensemble_is_refused():
    with pytest.raises(SegDistillError, match="at least one teacher"):
        Ensemble(task=Binary())
