"""Every recipe that comes with the library is complete, commented, and builds."""

from __future__ import annotations

import pytest
import torch

from segdistill import config
from segdistill.core import SegDistillError
from segdistill.models import cost

every = pytest.mark.parametrize("name", config.names())


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path):
    monkeypatch.setenv("SEGDISTILL_DATA", str(tmp_path))


def network(name, role, taps):
    """Shapes without numbers: nothing is computed, but even so a large teacher takes a second to build."""
    full = config.complete(config.read(name))
    with torch.device("meta"):
        net = config.build_network({**full[role], "weights": "none"}, task=config.build_task(full["task"]))
    net.tap(taps)
    return net


@every
def test_completes_and_carries_its_own_name(name):
    full = config.complete(config.read(name))
    assert full["name"] == name
    assert full["about"].endswith(".")


@every
def test_explains_itself(name):
    comments = [line for line in config.source(name).splitlines() if "#" in line]
    assert len(comments) >= 8
    assert max(map(len, config.source(name).splitlines())) <= 125


@every
def test_builds_method_loss_and_training_of_every_role(name):
    recipe = config.read(name)
    for full in (config.for_training(recipe, "teacher"), config.for_training(recipe)):
        assert config.build_training(full["training"]).epochs > 0
    full = config.for_distillation(recipe, teacher="runs/teacher")
    config.build_loss(full["loss"])
    config.build_method(full["method"])


@every
def test_its_networks_have_the_methods_taps_and_the_teacher_costs_four_times_the_student(name):
    size = (192, 256) if name == "demo" else (256, 256)
    method = config.build_method(config.read(name)["method"])
    teacher = cost(network(name, "teacher", method.teacher_taps), size)
    student = cost(network(name, "student", method.student_taps), size)
    assert teacher.gmac >= 4 * student.gmac
    assert student.parameters <= 7e6


def test_the_demo_needs_neither_files_nor_weights(monkeypatch):
    monkeypatch.delenv("SEGDISTILL_DATA")
    full = config.complete(config.read("demo"))
    assert list(full["data"]) == ["synthetic"]
    assert full["teacher"]["weights"] == full["student"]["weights"] == "none"


def test_polyp_lite_says_which_variable_it_needs(monkeypatch):
    monkeypatch.delenv("SEGDISTILL_DATA")
    with pytest.raises(SegDistillError, match="set SEGDISTILL_DATA to the folder"):
        config.complete(config.read("polyp-lite"))


@pytest.mark.data
def test_polyp_lite_reads_the_real_images(polyp_root, monkeypatch):
    monkeypatch.setenv("SEGDISTILL_DATA", str(polyp_root.parent))
    data = config.build_data(config.for_training(config.read("polyp-lite"))["data"])
    assert len(data.train) + len(data.val) == 1450
    assert {"Kvasir", "CVC-ClinicDB"} <= set(data.tests)
