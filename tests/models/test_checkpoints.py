"""Checkpoint files as networks, by what their tensors tell."""

from __future__ import annotations

import os
import pickle

import pytest
import torch
from torch import nn

from segdistill import devices
from segdistill.core import SegDistillError
from segdistill.engine import open_trained
from segdistill.models import load
from segdistill.taps import Tapped

STUDENT = {"smp.Unet": {"encoder_name": "mobilenet_v2"}}
TEACHER = {"smp.UnetPlusPlus": {"encoder_name": "resnet50"}}


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """A checkpoint as the MobileNetV2 project writes it: a class of its own around smp's network."""
    file = tmp_path_factory.mktemp("weights") / "student.pth"
    net = load(STUDENT, classes=1, weights="none").net
    torch.save({f"model.{key}": value for key, value in net.state_dict().items()}, file)
    return file


@pytest.fixture(scope="module")
def opened(student):
    return open_trained(student)


def test_a_checkpoint_opens_as_the_network_that_it_is_with_its_preprocessing(opened):
    assert opened.net.spec["spec"] == STUDENT
    assert opened.net.size == (320, 320)
    assert (opened.net.mean.tolist(), opened.net.std.tolist()) == ([0], [1])
    assert not opened.net.training
    assert opened.task.classes == ("background", "polyp")
    assert opened.note.endswith("smp.Unet(mobilenet_v2) at 320x320 with no normalisation but /255.")


def test_a_checkpoint_is_opened_on_the_device_that_was_asked_for(student, monkeypatch):
    monkeypatch.setattr(devices, "find_device", {"auto": torch.device("meta")}.__getitem__)
    net = open_trained(student, device="auto").net
    assert {tensor.device.type for tensor in net.state_dict().values()} == {net.mean.device.type} == {"meta"}


def test_the_network_computes_what_the_project_computes(student, opened):
    image = torch.rand(1, 3, 320, 320)
    net = load(STUDENT, classes=1, weights="none").net.eval()
    weights = torch.load(student, weights_only=True)
    net.load_state_dict({key.removeprefix("model."): value for key, value in weights.items()})
    with torch.inference_mode():
        torch.testing.assert_close(opened.net(image).logits, net(image))


def test_a_checkpoint_of_polyp_pvt_is_fed_as_its_project_feeds_it(tmp_path):
    net = load({"PolypPVT": {"backbone": "pvt_v2_b0"}}, classes=1, weights="none").net
    torch.save(net.state_dict(), tmp_path / "kdas.pth")
    opened = open_trained(tmp_path / "kdas.pth").net
    assert opened.size == (352, 352)
    assert opened.mean.tolist() == pytest.approx([0.485, 0.456, 0.406])


@pytest.mark.parametrize("name", ["STUDENT.PTH", "student.pth.tar", "student"])
def test_a_checkpoint_may_have_any_name(student, tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).symlink_to(student)
    assert load(name, classes=1).spec["spec"] == STUDENT


@pytest.mark.parametrize("path", ["./", "..", "runs/nowhere", "runs/it.was.here"])
def test_a_path_without_a_network_is_no_name_of_one(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SegDistillError, match=f"There is no finished run and no checkpoint at '{path}'"):
        load(path, classes=1)


def test_what_is_given_beside_a_checkpoint_counts(student):
    assert load(student, classes=1, size=256).size == (256, 256)


def test_a_checkpoint_of_the_other_network_says_which_it_is(student):
    message = (
        r"student.pth does not fit .* It is a checkpoint of \{smp.Unet: \{encoder_name: mobilenet_v2\}\}"
    )
    with pytest.raises(SegDistillError, match=message):
        load(TEACHER, classes=1, weights=student)


def test_a_network_that_its_tensors_do_not_tell_has_to_be_named(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "mine.pt")
    with pytest.raises(SegDistillError, match="'mine.pt' holds weights of a network that is not known"):
        open_trained(tmp_path / "mine.pt")


class Command:
    """Runs a command when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


def test_a_pickle_that_would_run_code_is_refused_and_does_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": torch.ones(1), "b": Command()}}, "bad.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Command()))
    for file in ("bad.pth", "old.pth"):
        with pytest.raises(SegDistillError, match="could run code"):
            open_trained(file)
    assert not (tmp_path / "ran").exists()


def test_half_a_download_and_a_pointer_to_the_file_are_told_apart(student, tmp_path):
    (tmp_path / "half.pth").write_bytes(student.read_bytes()[:5000])
    (tmp_path / "pointer.pth").write_text("version https://git-lfs.github.com/spec/v1\nsize 3\n")
    for file, words in (("half.pth", r"\(5000 bytes\) is damaged"), ("pointer.pth", "run `git lfs pull`")):
        with pytest.raises(SegDistillError, match=words):
            open_trained(tmp_path / file)


def test_mean_and_deviation_can_be_given_and_are_part_of_the_spec():
    spec = {"smp.Unet": {"encoder_name": "resnet18"}}
    with torch.device("meta"):
        net = load(spec, classes=1, weights="none", mean=0.5, std=(0.2, 0.3, 0.4))
        again = load(**net.spec)
    assert isinstance(again, Tapped)
    assert (again.spec["mean"], again.spec["std"]) == ([0.5], [0.2, 0.3, 0.4])
    with pytest.raises(SegDistillError, match="mean must be one number or 3, one per channel"):
        load(spec, classes=1, weights="none", mean=[1, 2])
