import pytest
import torch

from segdistill.core import SegDistillError
from segdistill.devices import find_device, resolve_accelerator
from segdistill.engine import Trained
from segdistill.taps import Tapped
from segdistill.tasks import Binary
from toys import tiny_net


@pytest.fixture
def machine(monkeypatch):
    """A machine with so many GPUs, or an Apple one; nothing is computed on them."""

    def has(*, cuda=0, mps=False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return has


@pytest.mark.parametrize(
    ("there", "found"), [({"cuda": 1, "mps": True}, "cuda"), ({"mps": True}, "mps"), ({}, "cpu")]
)
def test_auto_is_the_fastest_device_that_is_there(machine, there, found):
    machine(**there)
    assert find_device("auto") == torch.device(found)
    assert resolve_accelerator("auto") == found


def test_a_named_device_is_taken(machine):
    machine(cuda=2)
    assert [str(find_device(name)) for name in ("cpu", "cuda", "cuda:1")] == ["cpu", "cuda", "cuda:1"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cuda:2", "device 'cuda:2' is not available here. Take one of cuda:0, cuda:1."),
        ("cuda:", "device 'cuda:' is not available here. Take one of cuda:0"),
        ("mps", "device 'mps' is not available here. Take 'auto' or 'cpu'."),
        ("cpu:0", "Unknown device 'cpu:0'. Known: auto, cpu, cuda, mps."),
    ],
)
def test_a_device_that_is_not_there_is_a_sentence(machine, name, words):
    machine(cuda=2)
    with pytest.raises(SegDistillError, match=words):
        find_device(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [("cuda", "accelerator 'cuda' is not available here"), ("gpu", "Unknown accelerator 'gpu'")],
)
def test_an_accelerator_of_a_training_is_called_so(machine, name, words):
    machine()
    with pytest.raises(SegDistillError, match=words):
        resolve_accelerator(name)


def test_a_network_stays_on_its_device_when_it_predicts():
    trained = Trained(Tapped(tiny_net()).to("meta"), Binary())
    assert trained.predictor().device == trained.device == torch.device("meta")
    assert trained.place == "meta"
