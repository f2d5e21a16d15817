"""Arguments of the wrong kind are named before anything is built."""

import pytest
from torch import nn

from segdistill.core import SegDistillError
from segdistill.engine import Training, distill, train
from segdistill.engine.job import job
from segdistill.methods import AT, KD, Sum
from toys import Discs, TinyNet, tiny_net


class Extra(TinyNet):
    """Keeps something that is no tensor."""

    def get_extra_state(self):
        return {"a": 1}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": nn.BCEWithLogitsLoss()}, "loss is of type BCEWithLogitsLoss. Give a segdistill Loss"),
        ({"task": "Binary"}, r"task is of type str. Give one, such as Binary\(\)"),
        ({"method": "KD"}, r"method is of type str. Give one, such as KD\(\)"),
        ({"method": KD}, "method is the class KD"),
        ({"method": []}, "method is of type list"),
        ({"training": {"epochs": 3}}, "training is of type dict. Give a segdistill Training"),
        (
            {"teacher": "runs/teacher"},
            r"The teacher is of type str. Give a network, Run.load\(path\).student",
        ),
        ({"teacher": [tiny_net()]}, "The teacher is of type list"),
        ({"student": "smp.FPN"}, "The student is of type str. Give a network"),
        ({"student": Extra()}, "The student's state '_extra_state' is of type dict, and a run's files hold"),
        ({"data": Discs(4)}, "data is of type Discs. Give a segdistill Data"),
    ],
)
def test_a_wrong_kind_is_a_sentence(options, message, data, tmp_path):
    arguments = {"student": tiny_net(), "data": data, "out": tmp_path / "run", **options}
    with pytest.raises(SegDistillError, match=message):
        job(arguments.pop("student"), arguments.pop("data"), **arguments)


def test_a_list_of_methods_is_their_sum(data, tmp_path):
    asked = job(tiny_net(), data, out=tmp_path, teacher=tiny_net(), method=[KD(), AT()])
    assert isinstance(asked.trainable.method, Sum)


def test_adding_something_else_to_a_method_is_pythons_error():
    with pytest.raises(TypeError, match="unsupported operand"):
        KD() + None


def test_a_run_from_python_says_what_was_trained(data, quiet, tmp_path):
    run = distill(
        tiny_net(width=16),
        tiny_net(seed=1),
        data,
        KD(temperature=3) + AT(taps={"stem": "stem"}, weight=0.5),
        out=tmp_path / "run",
        training=Training(epochs=1, batch_size=4, precision="32", workers=0),
        display=quiet,
    )
    assert run.config["method"] == [
        {"KD": {"temperature": 3, "weight": 1.0}},
        {"AT": {"taps": {"stem": "stem"}, "power": 2.0, "weight": 0.5}},
    ]
    assert run.config["loss"] == {"DiceBCE": {"smooth": 1.0}}
    assert run.config["student"]["net"] == "toys.TinyNet"


def test_a_training_needs_nothing_but_a_network_data_and_a_folder(data, quiet, tmp_path):
    training = Training(epochs=1, batch_size=8, workers=0)
    assert train(tiny_net(), data, out=tmp_path / "run", training=training, display=quiet).is_finished
