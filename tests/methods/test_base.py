import pytest
import torch

from segdistill.core import Output, SegDistillError
from segdistill.methods import AT, KD, FitNet, LogitMSE, Sum
from segdistill.tasks import Binary, Multiclass


def pair(classes=(1, 1)):
    student = Output(torch.randn(2, classes[0], 8, 8, requires_grad=True), {"a": torch.randn(2, 4, 8, 8)})
    teacher = Output(torch.randn(2, classes[1], 8, 8), {"b": torch.randn(2, 4, 8, 8)})
    return student, teacher


def test_methods_add_up_to_one():
    method = KD() + AT(taps={"a": "b"}) + FitNet(taps={"a": "b"})
    assert isinstance(method, Sum)
    assert [type(part) for part in method.parts] == [KD, AT, FitNet]
    student, teacher = pair()
    method.build(student, teacher, Binary())
    losses = method(student, teacher, torch.zeros(2, 8, 8))
    assert set(losses) == {"KD/logits", "AT/a", "FitNet/a"}


def test_two_of_one_name_are_told_apart():
    method = KD(1) + KD(4)
    student, teacher = pair()
    method.build(student, teacher, Binary())
    assert set(method(student, teacher, torch.zeros(2, 8, 8))) == {"KD/logits", "KD/logits#2"}


def test_a_method_asks_for_the_taps_of_each_network():
    method = AT(taps={"a": "b"}) + KD()
    assert set(method.student_taps) == {"a", "logits"}
    assert set(method.teacher_taps) == {"b", "logits"}


def test_no_taps_are_refused():
    with pytest.raises(SegDistillError, match="AT got no taps"):
        AT(taps=[])


def test_a_teacher_of_other_classes_is_refused():
    student, teacher = pair(classes=(1, 3))
    with pytest.raises(SegDistillError, match="the student has 1 classes and the teacher 3"):
        LogitMSE().build(student, teacher, Binary())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: KD(temperature=0), "KD needs a positive temperature, got 0"),
        (lambda: KD(temperature=-1), "KD needs a positive temperature, got -1"),
        (lambda: AT(power=0), "AT needs power of at least 1, got 0"),
    ],
)
def test_impossible_numbers_are_refused(make, message):
    with pytest.raises(SegDistillError, match=message):
        make()


def test_binary_kd_is_two_class_kd_on_zero_and_the_logit():
    student, teacher = pair()
    bernoulli, softmax = KD(3), KD(3)
    bernoulli.build(student, teacher, Binary())
    two = [Output(torch.cat([torch.zeros_like(o.logits), o.logits], dim=1)) for o in (student, teacher)]
    softmax.build(*two, Multiclass(("background", "polyp")))
    mask = torch.zeros(2, 8, 8)
    torch.testing.assert_close(
        bernoulli(student, teacher, mask)["KD/logits"], softmax(*two, mask)["KD/logits"]
    )


def test_a_map_that_shrinks_one_way_and_grows_the_other_is_averaged_where_it_shrinks():
    from segdistill.methods.parts.adapters import match_size

    x = torch.arange(8.0).view(1, 1, 4, 2)
    assert match_size(x, (2, 4)).shape == (1, 1, 2, 4)
    torch.testing.assert_close(match_size(x, (2, 2)), x.view(1, 1, 2, 2, 2).mean(dim=3))


def test_an_output_without_the_tap_names_those_it_has():
    student, _ = pair()
    with pytest.raises(SegDistillError, match="Unknown tap 'b'. Known: a, logits"):
        _ = student["b"]
